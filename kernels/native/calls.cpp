// The operations as custom calls of XLA: operands checked, work cut into units, units spread over threads.
//
// Threads are those of XLA's own pool, so that calls of several devices share one set of them; no more are asked for
// than the process may use, and none for little work.
#if defined(__linux__)
#include <sched.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "work.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

namespace voltherm {
namespace {

using Table = ffi::Buffer<ffi::S32, 1>;

// Block products for which waking a thread (some 10 us) is worth it, and the least that one thread gets at a time.
constexpr int64_t products_worth_a_thread = 100'000;
constexpr int64_t scratch_kept = 8 << 20;

enum Instructions : int64_t { best = -1, plain = 0, avx2 = 1, avx512 = 2 };

int64_t best_instructions() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2;
#endif
  return plain;
}

Kernel kernel_for(int64_t wanted) {
  static const int64_t able = best_instructions();
  const int64_t chosen = wanted == best ? able : std::min(wanted, able);
#if defined(__x86_64__)
  if (chosen == avx512) return run_avx512;
  if (chosen == avx2) return run_avx2;
#endif
  (void)chosen;
  return run_plain;
}

// Processors that this process may run on, now.
int64_t processors() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(getpid(), sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

// Aligned memory of a thread, kept between calls unless it is large.
class Scratch {
 public:
  ~Scratch() { std::free(memory_); }
  void* of(int64_t bytes) {
    if (bytes > bytes_) {
      std::free(memory_);
      bytes_ = 0;
      const int64_t rounded = (bytes + group_bytes - 1) / group_bytes * group_bytes;
      memory_ = std::aligned_alloc(group_bytes, rounded);
      if (memory_ == nullptr) return nullptr;
      bytes_ = rounded;
    }
    return memory_;
  }
  void release() {
    if (bytes_ <= scratch_kept) return;
    std::free(memory_);
    memory_ = nullptr;
    bytes_ = 0;
  }

 private:
  void* memory_ = nullptr;
  int64_t bytes_ = 0;
};

// One call, shared by the threads that help with it. It outlives the call: a helper that starts late finds no unit left
// and touches nothing else.
struct Job {
  Work work;
  Kernel kernel;
  int64_t units, chunk, scratch_bytes;
  std::atomic<int64_t> next{0};
  std::atomic<bool> out_of_memory{false};
  std::mutex mutex;
  std::condition_variable finished;
  int64_t done = 0;

  void help() {
    static thread_local Scratch scratch;
    int64_t count = 0;
    for (int64_t first; (first = next.fetch_add(chunk)) < units;) {
      const int64_t last = std::min(units, first + chunk);
      void* memory = scratch.of(scratch_bytes);
      if (memory == nullptr) out_of_memory = true;
      for (int64_t unit = first; unit < last && memory != nullptr; ++unit) kernel(work, unit, memory);
      count += last - first;
    }
    scratch.release();
    if (count == 0) return;
    const std::lock_guard<std::mutex> lock(mutex);
    done += count;
    if (done == units) finished.notify_all();
  }
};

ffi::Error run(ffi::ThreadPool pool, const Work& work, int64_t units, int64_t products, int64_t scratch_packs,
               int64_t instructions) {
  if (units == 0) return ffi::Error::Success();
  auto job = std::make_shared<Job>();
  job->work = work;
  job->kernel = kernel_for(instructions);
  job->units = units;
  job->scratch_bytes = scratch_packs * group_bytes;
  job->chunk = 1;
  int64_t threads = 1;
  if (units > 1 && units * products >= 2 * products_worth_a_thread) {
    threads = std::min({units, units * products / products_worth_a_thread, processors(), pool.num_threads() + 1});
    // Several chunks a thread, so that none waits long for the last.
    job->chunk = std::max<int64_t>(1, units / (threads * 4));
  }
  for (int64_t helper = 1; helper < threads; ++helper) pool.Schedule([job] { job->help(); });
  job->help();
  if (threads > 1) {
    std::unique_lock<std::mutex> lock(job->mutex);
    job->finished.wait(lock, [&] { return job->done == job->units; });
  }
  if (job->out_of_memory) return ffi::Error(ffi::ErrorCode::kResourceExhausted, "voltherm_kernels: no memory left");
  return ffi::Error::Success();
}

ffi::Error wrong(const char* what) { return ffi::Error::InvalidArgument(std::string("voltherm_kernels: ") + what); }

template <class Buffer>
bool shaped(const Buffer& buffer, std::initializer_list<int64_t> dimensions) {
  const auto found = buffer.dimensions();
  return found.size() == dimensions.size() && std::equal(found.begin(), found.end(), dimensions.begin());
}

bool real(ffi::DataType type) { return type == ffi::F32 || type == ffi::F64; }

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

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_factor, voltherm::factor,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<voltherm::Table>()
                                  .Arg<voltherm::Table>()
                                  .Arg<voltherm::Table>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<int64_t>("instructions"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_substitute, voltherm::substitute,
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

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_multiply, voltherm::multiply,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<voltherm::Table>()
                                  .Arg<voltherm::Table>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<int64_t>("transpose")
                                  .Attr<int64_t>("instructions"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_outer, voltherm::outer,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<voltherm::Table>()
                                  .Arg<voltherm::Table>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<int64_t>("instructions"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(voltherm_backward_error, voltherm::backward_error,
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

// The number that native.py must know: it grows when operands or attributes of a call change.
extern "C" int64_t voltherm_interface() { return 2; }

// The instruction set that `instructions = -1` means on this processor: 0 plain, 1 AVX2, 2 AVX-512.
extern "C" int64_t voltherm_instructions() {
  return voltherm::best_instructions();
}

// Processors that a call may use now.
extern "C" int64_t voltherm_processors() { return voltherm::processors(); }

#pragma GCC visibility pop
