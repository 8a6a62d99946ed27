// What one call has to do, and the kernels that do a part of it.
//
// A call is cut into units that touch disjoint output: a group of lanes, or of right-hand sides of one lane. The same
// kernels are compiled once for each instruction set (lanes.h); calls.cpp chooses among them at run time.
#pragma once

#include <cstdint>

namespace voltherm {

enum class Operation { factor, substitute, multiply, outer, backward_error };

// How the SIMD width is used: not at all (a single lane), over lanes, or over the right-hand sides of one lane.
enum class Across { nothing, lanes, sides };

// Bytes of one group of lanes: 8 doubles or 16 floats, on every instruction set.
constexpr int64_t group_bytes = 64;

struct Work {
  Operation operation;
  Across across;
  bool single;     // float instead of double
  bool transpose;  // Aᵀ instead of A
  int64_t block, size, fill, entries, lanes, sides;
  // Tables of the schedule. Of factor: entry_slot, front_start, target; of substitute: order, front_start, neighbour;
  // of multiply, outer and backward_error: rows, columns.
  const int32_t* table[3];
  // Operands, lanes last: values; blocks and sides; values and vector; left and right; values, solution and sides.
  const void* operand[3];
  void* result;
};

// Runs one unit with scratch memory aligned to group_bytes.
using Kernel = void (*)(const Work& work, int64_t unit, void* scratch);

void run_plain(const Work& work, int64_t unit, void* scratch);
#if defined(__x86_64__)
void run_avx2(const Work& work, int64_t unit, void* scratch);
void run_avx512(const Work& work, int64_t unit, void* scratch);
#endif

}  // namespace voltherm
