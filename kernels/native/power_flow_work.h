// What one call of the power flow has to do, shared by the host (power_flow.cpp) and the kernels (power_flow.h).
#pragma once

#include "operand.h"

namespace voltherm {

// Operands: rows are the caller's buses or branches, those of one part (angle and logarithm, active and reactive) of all
// buses before those of the other.
enum PowerOperand {
  start,
  fixed,
  generation,
  shunt,
  admittance,
  load = admittance + 8,
  side = load + 6,
  power_operands
};
// The last one is the right-hand side of a linear solve; an iteration that fails from its start begins there anew.
constexpr int fallback = side;

// Positions first .. last - 1. A subtree is a segment that nothing outside but its ancestors has to do with; those of
// the top are what is left above the subtrees. `target` is where the targets of the first pivot begin.
struct Segment {
  int32_t first, last, target, top;
};

struct PowerWork {
  bool single;      // float instead of double
  bool linear;      // solve with the Jacobian at `start` for `side`, instead of Newton's method
  bool transpose;   // Jᵀ, where linear
  bool tree;        // elimination leaves couplings alone, and each is that of branches
  int64_t size, branches, fill, pairs, lanes, segments;

  // Tables; positions are the order of elimination, a postorder of its tree.
  const int32_t* order;          // (size) bus at each position
  const int32_t* position;       // (size) position of each bus
  const int32_t* front_start;    // (size + 1) first off-diagonal number of each pivot
  const int32_t* neighbour;      // (fill) position, ascending within a front
  const int32_t* target;         // number of A_ij for all i < j of every front
  const int32_t* pair_start;     // (size + 1) first pair of connected buses of each pivot
  const int32_t* pair_number;    // (pairs) off-diagonal number
  const int32_t* branch_pair;    // (branches) pair that the branch belongs to
  const int32_t* from_position;  // (branches)
  const int32_t* to_position;    // (branches)
  const Segment* segment;        // (segments)

  Operand operand[power_operands];
  double base_power;  // of loads and generation
  double tolerance;
  int64_t maximum_iterations;
  // The plan, for as long as steps contract: so many with the factors that all lanes share, then one fresh
  // factorisation after every `chords` steps with the last one; in single precision or not.
  int64_t shared_steps, chords;
  bool single_factors;

  void* unknown;   // (lane, 2, bus)
  void* residual;  // (lane)
  int32_t *iterations, *result, *worst;
};

enum class Phase { measure, prepare, solve };

// Runs one phase of a call; `unit` is a group of lanes. `bytes` receives the sizes of the memory that all units share
// and of the scratch memory of a unit.
using PowerKernel = void (*)(const PowerWork& work, Phase phase, int64_t unit, void* common, void* scratch,
                             int64_t bytes[2]);

constexpr int64_t power_group = 8;

void power_flow_plain(const PowerWork&, Phase, int64_t, void*, void*, int64_t[2]);
#if defined(__x86_64__)
void power_flow_avx2(const PowerWork&, Phase, int64_t, void*, void*, int64_t[2]);
void power_flow_avx512(const PowerWork&, Phase, int64_t, void*, void*, int64_t[2]);
#endif

}  // namespace voltherm
