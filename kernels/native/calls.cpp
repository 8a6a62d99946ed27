// The operations as custom calls of XLA: operands checked, work cut into units, units spread over threads.
#include "host.h"
#include "work.h"

namespace voltherm {
namespace {

Kernel kernel_for(int64_t wanted) {
  const int64_t chosen = chosen_instructions(wanted);
#if defined(__x86_64__)
  if (chosen == avx512) return run_avx512;
  if (chosen == avx2) return run_avx2;
#endif
  (void)chosen;
  return run_plain;
}

ffi::Error run(ffi::ThreadPool pool, const Work& work, int64_t units, int64_t products, int64_t scratch_packs,
               int64_t instructions) {
  const Kernel kernel = kernel_for(instructions);
  const auto task = [work, kernel](int64_t unit, void* scratch) { kernel(work, unit, scratch); };
  return run_units(pool, task, units, products, scratch_packs * group_bytes);
}

Work work_of(Operation operation, ffi::DataType type, int64_t lanes, int64_t sides) {
  Work work{};
  work.operation = operation;
  work.single = type == ffi::F32;
  work.lanes = lanes;
  work.sides = sides;
  work.across = lanes <= 1 && sides <= 1 ? Across::nothing : Across::lanes;
  return work;
}

int64_t groups(const Work& work, int64_t count) {
  const int64_t width = work.across == Across::nothing ? 1 : group_bytes / (work.single ? 4 : 8);
  return (count + width - 1) / width;
}

// Few lanes with several right-hand sides are worked on side by side.
int64_t units_of_sides(Work& work) {
  const bool by_side = work.sides > 1 && (work.lanes == 1 || work.sides >= 4);
  if (by_side) work.across = Across::sides;
  return by_side ? work.lanes * groups(work, work.sides) : work.sides * groups(work, work.lanes);
}

ffi::Error factor(ffi::ThreadPool pool, ffi::AnyBuffer values, Table entry_slot, Table front_start, Table target,
                  ffi::Result<ffi::AnyBuffer> blocks, int64_t instructions) {
  const auto shape = values.dimensions();
  const auto result = blocks->dimensions();
  if (shape.size() != 4 || result.size() != 4) return wrong("factor takes values (entries, b, b, lane)");
  const int64_t entries = shape[0], block = shape[1], lanes = shape[3];
  const int64_t size = static_cast<int64_t>(front_start.element_count()) - 1, fill = (result[0] - size - 2) / 2;
  if (!real(values.element_type()) || blocks->element_type() != values.element_type() || shape[2] != block ||
      size < 1 || fill < 0 || !shaped(entry_slot, {entries}) ||
      !shaped(*blocks, {size + 2 * fill + 2, block, block, lanes}))
    return wrong("operands of factor do not fit together");
  Work work = work_of(Operation::factor, values.element_type(), lanes, 1);
  work.block = block, work.size = size, work.fill = fill, work.entries = entries;
  work.table[0] = entry_slot.typed_data(), work.table[1] = front_start.typed_data(), work.table[2] = target.typed_data();
  work.operand[0] = values.untyped_data(), work.result = blocks->untyped_data();
  const int64_t products = (static_cast<int64_t>(target.element_count()) + 3 * fill + entries) * block * block * block;
  return run(pool, work, groups(work, lanes), products, (size + 2 * fill + 2) * block * block, instructions);
}

ffi::Error substitute(ffi::ThreadPool pool, ffi::AnyBuffer blocks, ffi::AnyBuffer sides, Table order, Table front_start,
                      Table neighbour, ffi::Result<ffi::AnyBuffer> solution, int64_t transpose, int64_t instructions) {
  const auto shape = sides.dimensions();
  if (shape.size() != 4) return wrong("substitute takes right-hand sides (size, b, lane, side)");
  const int64_t size = shape[0], block = shape[1], lanes = shape[2];
  const int64_t fill = static_cast<int64_t>(neighbour.element_count());
  if (!real(sides.element_type()) || blocks.element_type() != sides.element_type() ||
      solution->element_type() != sides.element_type() || !shaped(order, {size}) || !shaped(front_start, {size + 1}) ||
      !shaped(blocks, {size + 2 * fill + 2, block, block, lanes}) || !shaped(*solution, {size, block, lanes, shape[3]}))
    return wrong("operands of substitute do not fit together");
  Work work = work_of(Operation::substitute, sides.element_type(), lanes, shape[3]);
  work.block = block, work.size = size, work.fill = fill, work.transpose = transpose != 0;
  work.table[0] = order.typed_data(), work.table[1] = front_start.typed_data(), work.table[2] = neighbour.typed_data();
  work.operand[0] = blocks.untyped_data(), work.operand[1] = sides.untyped_data();
  work.result = solution->untyped_data();
  const int64_t units = units_of_sides(work);
  return run(pool, work, units, (size + 2 * fill) * block * block, (size + 1) * block, instructions);
}

ffi::Error multiply(ffi::ThreadPool pool, ffi::AnyBuffer values, ffi::AnyBuffer vector, Table rows, Table columns,
                    ffi::Result<ffi::AnyBuffer> product, int64_t transpose, int64_t instructions) {
  const auto shape = vector.dimensions();
  if (shape.size() != 4) return wrong("multiply takes vectors (size, b, lane, side)");
  const int64_t size = shape[0], block = shape[1], lanes = shape[2];
  const int64_t entries = static_cast<int64_t>(rows.element_count());
  if (!real(vector.element_type()) || values.element_type() != vector.element_type() ||
      product->element_type() != vector.element_type() || !shaped(columns, {entries}) ||
      !shaped(values, {entries, block, block, lanes}) || !shaped(*product, {size, block, lanes, shape[3]}))
    return wrong("operands of multiply do not fit together");
  Work work = work_of(Operation::multiply, vector.element_type(), lanes, shape[3]);
  work.block = block, work.size = size, work.entries = entries, work.transpose = transpose != 0;
  work.table[0] = rows.typed_data(), work.table[1] = columns.typed_data();
  work.operand[0] = values.untyped_data(), work.operand[1] = vector.untyped_data();
  work.result = product->untyped_data();
  const int64_t units = units_of_sides(work);
  return run(pool, work, units, entries * block * block, 2 * size * block, instructions);
}

ffi::Error outer(ffi::ThreadPool pool, ffi::AnyBuffer left, ffi::AnyBuffer right, Table rows, Table columns,
                 ffi::Result<ffi::AnyBuffer> values, int64_t instructions) {
  const auto shape = left.dimensions();
  if (shape.size() != 4) return wrong("outer takes vectors (size, b, lane, side)");
  const int64_t size = shape[0], block = shape[1], lanes = shape[2], sides = shape[3];
  const int64_t entries = static_cast<int64_t>(rows.element_count());
  if (!real(left.element_type()) || right.element_type() != left.element_type() ||
      values->element_type() != left.element_type() || !shaped(right, {size, block, lanes, sides}) ||
      !shaped(columns, {entries}) || !shaped(*values, {entries, block, block, lanes}))
    return wrong("operands of outer do not fit together");
  Work work = work_of(Operation::outer, left.element_type(), lanes, sides);
  work.block = block, work.size = size, work.entries = entries;
  work.table[0] = rows.typed_data(), work.table[1] = columns.typed_data();
  work.operand[0] = left.untyped_data(), work.operand[1] = right.untyped_data();
  work.result = values->untyped_data();
  // A sum over sides, none or many, is taken lane by lane.
  if (sides != 1) work.across = Across::sides;
  const int64_t units = sides == 1 ? groups(work, lanes) : lanes;
  return run(pool, work, units, entries * block * block * std::max<int64_t>(1, sides / 8), 2 * size * block,
             instructions);
}

ffi::Error backward_error(ffi::ThreadPool pool, ffi::AnyBuffer values, ffi::AnyBuffer solution, ffi::AnyBuffer sides,
                          Table rows, Table columns, ffi::Result<ffi::AnyBuffer> error, int64_t transpose,
                          int64_t instructions) {
  const auto shape = sides.dimensions();
  if (shape.size() != 4) return wrong("backward_error takes right-hand sides (size, b, lane, side)");
  const int64_t size = shape[0], block = shape[1], lanes = shape[2];
  const int64_t entries = static_cast<int64_t>(rows.element_count());
  if (!real(sides.element_type()) || values.element_type() != sides.element_type() ||
      solution.element_type() != sides.element_type() || error->element_type() != sides.element_type() ||
      !shaped(columns, {entries}) || !shaped(values, {entries, block, block, lanes}) ||
      !shaped(solution, {size, block, lanes, shape[3]}) || !shaped(*error, {lanes, shape[3]}))
    return wrong("operands of backward_error do not fit together");
  Work work = work_of(Operation::backward_error, sides.element_type(), lanes, shape[3]);
  work.block = block, work.size = size, work.entries = entries, work.transpose = transpose != 0;
  work.table[0] = rows.typed_data(), work.table[1] = columns.typed_data();
  work.operand[0] = values.untyped_data(), work.operand[1] = solution.untyped_data();
  work.operand[2] = sides.untyped_data(), work.result = error->untyped_data();
  const int64_t units = units_of_sides(work);
  return run(pool, work, units, 2 * entries * block * block, 3 * size * block, instructions);
}

}  // namespace
}  // namespace voltherm

#pragma GCC visibility push(default)

namespace ffi = xla::ffi;

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_factor, voltherm::Guarded<voltherm::factor>::call,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<voltherm::Table>()
                                  .Arg<voltherm::Table>()
                                  .Arg<voltherm::Table>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<int64_t>("instructions"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_substitute, voltherm::Guarded<voltherm::substitute>::call,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<voltherm::Table>()
                                  .Arg<voltherm::Table>()
                                  .Arg<voltherm::Table>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<int64_t>("transpose")
                                  .Attr<int64_t>("instructions"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_multiply, voltherm::Guarded<voltherm::multiply>::call,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<voltherm::Table>()
                                  .Arg<voltherm::Table>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<int64_t>("transpose")
                                  .Attr<int64_t>("instructions"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_outer, voltherm::Guarded<voltherm::outer>::call,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<voltherm::Table>()
                                  .Arg<voltherm::Table>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<int64_t>("instructions"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_backward_error, voltherm::Guarded<voltherm::backward_error>::call,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<voltherm::Table>()
                                  .Arg<voltherm::Table>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<int64_t>("transpose")
                                  .Attr<int64_t>("instructions"));

// What CMakeLists.txt computed from the sources: library.py wants the library of the sources that it finds, no other.
extern "C" int64_t voltherm_sources() { return VOLTHERM_SOURCES; }

// The instruction set that `instructions = -1` means on this processor: 0 plain, 1 AVX2, 2 AVX-512.
extern "C" int64_t voltherm_instructions() {
  return voltherm::best_instructions();
}

// Processors that a call may use now.
extern "C" int64_t voltherm_processors() { return voltherm::processors(); }

#pragma GCC visibility pop
