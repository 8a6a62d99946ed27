// The coolant network's iteration as a custom call of XLA: operands checked, lanes cut into groups.
#include <vector>

#include "coolant_work.h"
#include "host.h"
#include "work.h"

namespace voltherm {
namespace {

using CoolantKernel = void (*)(const CoolantWork& work, int64_t unit, void* scratch);

CoolantKernel coolant_kernel_for(int64_t wanted) {
  const int64_t chosen = chosen_instructions(wanted);
#if defined(__x86_64__)
  if (chosen == avx512) return run_coolant_avx512;
  if (chosen == avx2) return run_coolant_avx2;
#endif
  (void)chosen;
  return run_coolant_plain;
}

constexpr int64_t header = 9;
constexpr int64_t products_of_a_law = 15;  // block products that one evaluation of a law is worth
constexpr int64_t typical_steps = 6;
// Two groups at a time hide the latency of the elimination; beyond this many bytes they would leave the cache (L3).
constexpr int64_t two_groups_below = 4 << 20;

// The sections of the table, as native_coolant.py lays them out. False where the table has another length.
bool read(Table& operand, CoolantTables* tables) {
  const int32_t* table = operand.typed_data();
  const auto length = static_cast<int64_t>(operand.element_count());
  if (length < header) return false;
  tables->branches = table[0], tables->free = table[1], tables->fill = table[2];
  tables->groups = table[3], tables->terms = table[4], tables->frictions = table[5];
  const int64_t incidents = table[6], entries = table[7], targets = table[8];
  const int32_t* next = table + header;
  const auto take = [&next](const int32_t** section, int64_t count) { *section = next, next += count; };
  take(&tables->branch, tables->branches);
  take(&tables->place, tables->branches);
  take(&tables->from, tables->branches);
  take(&tables->to, tables->branches);
  take(&tables->group, tables->branches);
  take(&tables->row, tables->branches);
  take(&tables->friction, tables->branches);
  take(&tables->group_start, tables->groups + 1);
  take(&tables->term, 3 * tables->terms);
  take(&tables->node, tables->free);
  take(&tables->position, tables->free);
  take(&tables->incident_start, tables->free + 1);
  take(&tables->incident, incidents);
  take(&tables->front_start, tables->free + 1);
  take(&tables->neighbour, tables->fill);
  take(&tables->entry_start, tables->fill + 1);
  take(&tables->entry, entries);
  take(&tables->target, targets);
  return next - table == length;
}

// Numbers (lanes or 1, rows or 1).
bool operand_of(const ffi::AnyBuffer& buffer, ffi::DataType type, int64_t rows, int64_t lanes, Operand* operand) {
  const auto shape = buffer.dimensions();
  if (buffer.element_type() != type || shape.size() != 2 || (shape[0] != lanes && shape[0] != 1) ||
      (shape[1] != rows && shape[1] != 1))
    return false;
  *operand = {buffer.untyped_data(), shape[1], shape[0] == 1};
  return true;
}

// The constants of all terms: as many rows as their group has branches, or one.
bool constants_of(ffi::RemainingArgs given, ffi::DataType type, CoolantWork* work, std::vector<Operand>* operands) {
  const CoolantTables& tables = work->tables;
  std::vector<int64_t> rows(static_cast<size_t>(tables.groups), 0);
  for (int64_t place = 0; place < tables.branches; ++place) ++rows[static_cast<size_t>(tables.group[place])];
  operands->resize(given.size());
  for (int64_t group = 0; group < tables.groups; ++group)
    for (int32_t term = tables.group_start[group]; term < tables.group_start[group + 1]; ++term) {
      const int32_t kind = tables.term[3 * term], first = tables.term[3 * term + 2];
      if (kind < 0 || kind >= term_kinds || first < 0 ||
          first + term_constants[kind] > static_cast<int64_t>(operands->size()))
        return false;
      for (int32_t number = first; number < first + term_constants[kind]; ++number) {
        const auto buffer = given.get<ffi::AnyBuffer>(static_cast<size_t>(number));
        Operand& operand = (*operands)[static_cast<size_t>(number)];
        if (!buffer.has_value() || !operand_of(*buffer, type, rows[static_cast<size_t>(group)], work->lanes, &operand))
          return false;
      }
    }
  work->constants = operands->data(), work->constant_count = static_cast<int64_t>(operands->size());
  return true;
}

// Cuts the lanes into units and runs them. `steps` says about how often the laws are evaluated.
ffi::Error run(ffi::ThreadPool pool, CoolantWork& work, std::initializer_list<Operand> others, int64_t steps,
               int64_t instructions) {
  int64_t packs = coolant_packs(work.tables) + work.constant_count;
  const auto copied = [&packs](const Operand& operand) { packs += operand.shared ? 0 : operand.rows; };
  std::for_each(work.constants, work.constants + work.constant_count, copied);
  std::for_each(others.begin(), others.end(), copied);
  const int64_t group = group_bytes / (work.single ? 4 : 8);
  const bool two = work.lanes > group && 2 * packs * group_bytes <= two_groups_below;
  work.width = work.lanes == 1 ? 1 : two ? 2 * group : group;
  const CoolantKernel kernel = coolant_kernel_for(instructions);
  const int64_t groups = two ? 2 : 1, products = products_of_a_law * steps * work.tables.branches;
  return run_units(
      pool, [&work, kernel](int64_t unit, void* scratch) { kernel(work, unit, scratch); },
      (work.lanes + work.width - 1) / work.width, groups * products, groups * packs * group_bytes);
}

ffi::Error coolant(ffi::ThreadPool pool, Table table, ffi::AnyBuffer drive, ffi::AnyBuffer demand, ffi::AnyBuffer flow,
                   ffi::AnyBuffer pressure, ffi::AnyBuffer largest_flow, ffi::RemainingArgs constants,
                   ffi::Result<ffi::AnyBuffer> flow_result, ffi::Result<ffi::AnyBuffer> pressure_result,
                   ffi::Result<ffi::AnyBuffer> residual, ffi::Result<Table> iterations, ffi::Result<Table> result,
                   ffi::Result<Table> worst, double tolerance, int64_t maximum_iterations, int64_t instructions) {
  CoolantWork work{};
  const auto type = flow_result->element_type();
  const auto shape = flow_result->dimensions();
  if (!real(type) || shape.size() != 2 || !read(table, &work.tables)) return wrong("the coolant network's table is broken");
  const CoolantTables& tables = work.tables;
  const int64_t lanes = work.lanes = shape[0];
  std::vector<Operand> operands;
  if (!shaped(*flow_result, {lanes, tables.branches}) || !shaped(*pressure_result, {lanes, tables.free}) ||
      !shaped(*residual, {lanes}) || !shaped(*iterations, {lanes}) || !shaped(*result, {lanes}) ||
      !shaped(*worst, {lanes}) || pressure_result->element_type() != type || residual->element_type() != type ||
      !operand_of(drive, type, tables.branches, lanes, &work.drive) ||
      !operand_of(demand, type, tables.free, lanes, &work.demand) ||
      !operand_of(flow, type, tables.branches, lanes, &work.flow) ||
      !operand_of(pressure, type, tables.free, lanes, &work.pressure) ||
      !operand_of(largest_flow, type, 1, lanes, &work.largest_flow) || !constants_of(constants, type, &work, &operands))
    return wrong("operands of the coolant network do not fit together");
  work.single = type == ffi::F32;
  work.iterations = maximum_iterations, work.tolerance = tolerance;
  work.flow_result = flow_result->untyped_data(), work.pressure_result = pressure_result->untyped_data();
  work.residual = residual->untyped_data();
  work.iterations_taken = iterations->typed_data(), work.result = result->typed_data(), work.worst = worst->typed_data();
  return run(pool, work, {work.drive, work.demand}, typical_steps, instructions);
}

ffi::Error coolant_step(ffi::ThreadPool pool, Table table, ffi::AnyBuffer flow, ffi::AnyBuffer right_branches,
                        ffi::AnyBuffer right_nodes, ffi::RemainingArgs constants, ffi::Result<ffi::AnyBuffer> of_branches,
                        ffi::Result<ffi::AnyBuffer> of_nodes, int64_t instructions) {
  CoolantWork work{};
  const auto type = of_branches->element_type();
  const auto shape = of_branches->dimensions();
  if (!real(type) || shape.size() != 2 || !read(table, &work.tables)) return wrong("the coolant network's table is broken");
  const CoolantTables& tables = work.tables;
  const int64_t lanes = work.lanes = shape[0];
  std::vector<Operand> operands;
  if (!shaped(*of_branches, {lanes, tables.branches}) || !shaped(*of_nodes, {lanes, tables.free}) ||
      of_nodes->element_type() != type || !operand_of(flow, type, tables.branches, lanes, &work.flow) ||
      !operand_of(right_branches, type, tables.branches, lanes, &work.right_branches) ||
      !operand_of(right_nodes, type, tables.free, lanes, &work.right_nodes) ||
      !constants_of(constants, type, &work, &operands))
    return wrong("operands of the coolant network's step do not fit together");
  work.single = type == ffi::F32;
  work.one_step = true;
  work.flow_result = of_branches->untyped_data(), work.pressure_result = of_nodes->untyped_data();
  return run(pool, work, {}, 1, instructions);
}

}  // namespace
}  // namespace voltherm

#pragma GCC visibility push(default)

namespace ffi = xla::ffi;

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_coolant, voltherm::Guarded<voltherm::coolant>::call,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<voltherm::Table>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .RemainingArgs()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<voltherm::Table>()
                                  .Ret<voltherm::Table>()
                                  .Ret<voltherm::Table>()
                                  .Attr<double>("tolerance")
                                  .Attr<int64_t>("maximum_iterations")
                                  .Attr<int64_t>("instructions"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_coolant_step, voltherm::Guarded<voltherm::coolant_step>::call,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<voltherm::Table>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .RemainingArgs()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<int64_t>("instructions"));

// An elementary function of `count` numbers with an instruction set: for tests against libm.
extern "C" void voltherm_evaluate(int64_t function, int64_t single, int64_t instructions, int64_t count,
                                  const void* from, void* to) {
  const int64_t chosen = voltherm::chosen_instructions(instructions);
#if defined(__x86_64__)
  if (chosen == voltherm::avx512) return voltherm::evaluate_avx512(function, single != 0, count, from, to);
  if (chosen == voltherm::avx2) return voltherm::evaluate_avx2(function, single != 0, count, from, to);
#endif
  (void)chosen;
  return voltherm::evaluate_plain(function, single != 0, count, from, to);
}

#pragma GCC visibility pop
