// What every custom call needs on the host: the choice of an instruction set, scratch memory, and threads.
//
// Threads are those of XLA's own pool, so that calls of several devices share one set of them; no more are asked for
// than the process may use, and none for little work.
#pragma once

#if defined(__linux__)
#include <sched.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "xla/ffi/api/ffi.h"

namespace voltherm {

namespace ffi = xla::ffi;

using Table = ffi::Buffer<ffi::S32, 1>;

// Block products for which waking a thread (some 10 us) is worth it, and the least that one thread gets at a time.
constexpr int64_t products_worth_a_thread = 100'000;
constexpr int64_t scratch_kept = 64 << 20;
constexpr int64_t scratch_alignment = 64;

enum Instructions : int64_t { best = -1, plain = 0, avx2 = 1, avx512 = 2 };

inline int64_t best_instructions() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2;
#endif
  return plain;
}

// The instruction set of a call: the one wanted, or the best there is where that is `best` or beyond this processor.
inline int64_t chosen_instructions(int64_t wanted) {
  static const int64_t able = best_instructions();
  return wanted == best ? able : std::min(wanted, able);
}

// Processors that this process may run on, now.
inline int64_t processors() {
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
    bytes = std::max(bytes, scratch_alignment);  // none at all would look like no memory left
    if (bytes > bytes_) {
      std::free(memory_);
      bytes_ = 0;
      const int64_t rounded = (bytes + scratch_alignment - 1) / scratch_alignment * scratch_alignment;
      memory_ = std::aligned_alloc(scratch_alignment, rounded);
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
  std::function<void(int64_t unit, void* scratch)> task;
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
      for (int64_t unit = first; unit < last && memory != nullptr; ++unit) task(unit, memory);
      count += last - first;
    }
    scratch.release();
    if (count == 0) return;
    const std::lock_guard<std::mutex> lock(mutex);
    done += count;
    if (done == units) finished.notify_all();
  }
};

// Runs the task for every unit, with scratch memory of its thread. `products` says how much work a unit is.
inline ffi::Error run_units(ffi::ThreadPool pool, std::function<void(int64_t, void*)> task, int64_t units,
                            int64_t products, int64_t scratch_bytes) {
  if (units == 0) return ffi::Error::Success();
  auto job = std::make_shared<Job>();
  job->task = std::move(task);
  job->units = units;
  job->scratch_bytes = scratch_bytes;
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

inline ffi::Error wrong(const char* what) { return ffi::Error::InvalidArgument(std::string("voltherm_kernels: ") + what); }

// A handler that no exception leaves.
template <auto Function, class Signature = decltype(Function)>
struct Guarded;
template <auto Function, class... Arguments>
struct Guarded<Function, ffi::Error (*)(Arguments...)> {
  static ffi::Error call(Arguments... arguments) {
    try {
      return Function(std::move(arguments)...);
    } catch (const std::exception&) {
      return ffi::Error(ffi::ErrorCode::kResourceExhausted, "voltherm_kernels: no memory left");
    }
  }
};

template <class Buffer>
bool shaped(const Buffer& buffer, std::initializer_list<int64_t> dimensions) {
  const auto found = buffer.dimensions();
  return found.size() == dimensions.size() && std::equal(found.begin(), found.end(), dimensions.begin());
}

inline bool real(ffi::DataType type) { return type == ffi::F32 || type == ffi::F64; }

}  // namespace voltherm
