// The fused power flow as custom calls of XLA: operands checked, lanes cut into groups, groups spread over threads.
#include "host.h"
#include "power_flow_work.h"

namespace voltherm {
namespace {

PowerKernel power_kernel(int64_t wanted) {
  const int64_t chosen = chosen_instructions(wanted);
#if defined(__x86_64__)
  if (chosen == avx512) return power_flow_avx512;
  if (chosen == avx2) return power_flow_avx2;
#endif
  (void)chosen;
  return power_flow_plain;
}

// Memory of a call that outlives its threads.
std::shared_ptr<void> aligned_memory(int64_t bytes) {
  const int64_t rounded = (bytes + scratch_alignment) / scratch_alignment * scratch_alignment;
  return std::shared_ptr<void>(std::aligned_alloc(scratch_alignment, rounded), std::free);
}

constexpr int64_t tables = 11, target_table = 4;

// Tables and operands in the order of PowerWork and PowerOperand; sets everything but results and plan.
const char* read_operands(ffi::RemainingArgs& args, PowerWork& work) {
  const int64_t operands = power_operands;
  if (static_cast<int64_t>(args.size()) != operands + tables) return "wrong number of operands";
  const int32_t* table[tables];
  int64_t length[tables];
  for (int64_t n = 0; n < tables; ++n) {
    const auto buffer = args.get<Table>(n);
    if (!buffer.has_value()) return "a table is not one row of int32";
    table[n] = buffer->typed_data(), length[n] = static_cast<int64_t>(buffer->element_count());
  }
  work.size = length[0], work.fill = length[3], work.pairs = length[6], work.branches = length[7];
  if (length[1] != work.size || length[2] != work.size + 1 || length[5] != work.size + 1 ||
      length[8] != work.branches || length[9] != work.branches || length[10] % 4 != 0)
    return "tables do not fit together";
  work.order = table[0], work.position = table[1], work.front_start = table[2], work.neighbour = table[3];
  work.target = table[4], work.pair_start = table[5], work.pair_number = table[6], work.branch_pair = table[7];
  work.from_position = table[8], work.to_position = table[9];
  work.tree = length[target_table] == 0 && work.fill == work.pairs;
  work.segments = length[10] / 4, work.segment = reinterpret_cast<const Segment*>(table[10]);
  work.lanes = 1;
  for (int64_t n = 0; n < operands; ++n) {
    const auto found = args.get<ffi::AnyBuffer>(tables + n);
    if (!found.has_value()) return "an operand is not a buffer";
    const ffi::AnyBuffer buffer = *found;
    const auto shape = buffer.dimensions();
    if (!real(buffer.element_type()) || shape.size() < 2) return "an operand is not (lane, ...) of real numbers";
    const bool single = buffer.element_type() == ffi::F32;
    if (n > 0 && single != work.single) return "operands differ in precision";
    work.single = single;
    const int64_t lanes = shape[0];
    const bool by_bus = n < admittance || n == side, of_branch = n >= admittance && n < load;
    const bool fits = by_bus ? shaped(buffer, {lanes, work.size, 2})
                             : shaped(buffer, {lanes, of_branch ? work.branches : work.size});
    if (!fits) return "an operand has the wrong shape";
    work.operand[n] = {buffer.untyped_data(), static_cast<int64_t>(buffer.element_count()) / std::max<int64_t>(1, lanes),
                       lanes == 1};
    if (lanes == 1) continue;
    if (work.lanes != 1 && work.lanes != lanes) return "operands differ in the number of lanes";
    work.lanes = lanes;
  }
  return nullptr;
}

ffi::Error run(ffi::ThreadPool pool, const PowerWork& work, int64_t products, int64_t instructions) {
  if (work.lanes == 0) return ffi::Error::Success();
  const PowerKernel kernel = power_kernel(instructions);
  int64_t bytes[2] = {};
  kernel(work, Phase::measure, 0, nullptr, nullptr, bytes);
  const std::shared_ptr<void> common = aligned_memory(bytes[0]);
  if (common == nullptr) return ffi::Error(ffi::ErrorCode::kResourceExhausted, "voltherm_kernels: no memory left");
  const auto prepare = [&](int64_t, void* scratch) { kernel(work, Phase::prepare, 0, common.get(), scratch, nullptr); };
  const ffi::Error error = run_units(pool, prepare, 1, 0, bytes[1]);
  if (error.failure()) return error;
  const auto solve = [=](int64_t unit, void* scratch) {
    kernel(work, Phase::solve, unit, common.get(), scratch, nullptr);
  };
  const int64_t groups = work.lanes == 1 ? 1 : (work.lanes + power_group - 1) / power_group;
  return run_units(pool, solve, groups, products, bytes[1]);
}

// Block products of a factorisation, and what the rest of a step amounts to.
int64_t step_products(const PowerWork& work, int64_t targets) {
  return 8 * (2 * targets + 3 * work.fill + 2 * work.pairs + 4 * work.size);
}

ffi::Error power_flow(ffi::ThreadPool pool, ffi::RemainingArgs args, ffi::Result<ffi::AnyBuffer> unknown,
                      ffi::Result<ffi::AnyBuffer> residual, ffi::Result<Table> iterations, ffi::Result<Table> result,
                      ffi::Result<Table> worst, double tolerance, int64_t maximum_iterations, double base_power,
                      int64_t shared_steps, int64_t chords, int64_t single_factors, int64_t instructions) {
  PowerWork work{};
  if (const char* mistake = read_operands(args, work)) return wrong(mistake);
  const auto kind = work.single ? ffi::F32 : ffi::F64;
  if (unknown->element_type() != kind || residual->element_type() != kind || !shaped(*residual, {work.lanes}) ||
      !shaped(*unknown, {work.lanes, work.size, 2}) || !shaped(*iterations, {work.lanes}) ||
      !shaped(*result, {work.lanes}) || !shaped(*worst, {work.lanes}))
    return wrong("results of power_flow do not fit");
  if (shared_steps < 0 || chords < 0) return wrong("a plan has no negative numbers");
  work.base_power = base_power, work.tolerance = tolerance, work.maximum_iterations = maximum_iterations;
  work.shared_steps = work.operand[start].shared ? shared_steps : 0;
  work.chords = chords, work.single_factors = single_factors != 0;
  work.unknown = unknown->untyped_data(), work.residual = residual->untyped_data();
  work.iterations = iterations->typed_data(), work.result = result->typed_data(), work.worst = worst->typed_data();
  const int64_t targets = static_cast<int64_t>(args.get<Table>(target_table)->element_count());
  return run(pool, work, 3 * step_products(work, targets), instructions);
}

ffi::Error power_step(ffi::ThreadPool pool, ffi::RemainingArgs args, ffi::Result<ffi::AnyBuffer> solution,
                      double base_power, int64_t transpose, int64_t instructions) {
  PowerWork work{};
  if (const char* mistake = read_operands(args, work)) return wrong(mistake);
  if (solution->element_type() != (work.single ? ffi::F32 : ffi::F64) ||
      !shaped(*solution, {work.lanes, work.size, 2}))
    return wrong("the result of power_step does not fit");
  work.base_power = base_power, work.linear = true, work.transpose = transpose != 0;
  work.unknown = solution->untyped_data();
  const int64_t targets = static_cast<int64_t>(args.get<Table>(target_table)->element_count());
  return run(pool, work, step_products(work, targets), instructions);
}

}  // namespace
}  // namespace voltherm

#pragma GCC visibility push(default)

namespace ffi = xla::ffi;

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_power_flow, voltherm::Guarded<voltherm::power_flow>::call,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .RemainingArgs()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<voltherm::Table>()
                                  .Ret<voltherm::Table>()
                                  .Ret<voltherm::Table>()
                                  .Attr<double>("tolerance")
                                  .Attr<int64_t>("maximum_iterations")
                                  .Attr<double>("base_power")
                                  .Attr<int64_t>("shared_steps")
                                  .Attr<int64_t>("chords")
                                  .Attr<int64_t>("single_factors")
                                  .Attr<int64_t>("instructions"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_power_step, voltherm::Guarded<voltherm::power_step>::call,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .RemainingArgs()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<double>("base_power")
                                  .Attr<int64_t>("transpose")
                                  .Attr<int64_t>("instructions"));

#pragma GCC visibility pop
