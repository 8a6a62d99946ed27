// What a call of the coolant network's iteration has to do. One unit is one group of lanes.
#pragma once

#include "operand.h"

namespace voltherm {

// Branch laws are sums of terms; these are their numbers in the tables (voltherm/coolant/terms.py).
enum Term : int32_t { linear, quadratic, power, colebrook, epanet, check_valve, controlled_pump, controlled_pump_power };
constexpr int32_t term_kinds = 8;
constexpr int32_t term_constants[term_kinds] = {2, 2, 4, 3, 5, 3, 10, 11};

// Positions are numbers of free nodes in the order of elimination; places are numbers of branches in the order of work.
struct CoolantTables {
  int64_t branches, free, fill, groups, terms, frictions;
  const int32_t* branch;          // (branches,) number of the branch at each place
  const int32_t* place;           // (branches,) and back
  const int32_t* from;            // (branches,) position of the start; `free` for a reference node
  const int32_t* to;              // (branches,)
  const int32_t* group;           // (branches,) group of each place
  const int32_t* row;             // (branches,) number within the group
  const int32_t* friction;        // (branches,) first of the friction factors that are carried along
  const int32_t* group_start;     // (groups + 1,) first term
  const int32_t* term;            // (terms, 3): kind, whether it belongs to a pump's internal loss, first constant
  const int32_t* node;            // (free,) number of the free node at each position
  const int32_t* position;        // (free,) and back
  const int32_t* incident_start;  // (free + 1,) first of a position's branches
  const int32_t* incident;        // twice the place, plus one where the branch ends here
  const int32_t* front_start;     // (free + 1,) first of a pivot's neighbours
  const int32_t* neighbour;       // (fill,) positions
  const int32_t* entry_start;     // (fill + 1,) first of the branches between a pivot and its neighbour
  const int32_t* entry;           // places
  const int32_t* target;          // numbers of neighbours to which the products of a front are added, pair by pair
};

struct CoolantWork {
  bool single;    // float instead of double
  int64_t width;  // lanes of a unit: one, a group, or two groups
  CoolantTables tables;
  int64_t lanes, iterations;
  double tolerance;
  // Of the iteration: what is given, and where it starts. Of one step at given flows: its right-hand sides.
  bool one_step;
  Operand drive, demand, flow, pressure, largest_flow, right_branches, right_nodes;
  const Operand* constants;
  int64_t constant_count;
  void *flow_result, *pressure_result, *residual;
  int32_t *iterations_taken, *result, *worst;
};

// Packs of scratch memory that a unit needs, besides the constants.
inline int64_t coolant_packs(const CoolantTables& tables) {
  return 3 * tables.branches + tables.frictions + 3 * tables.free + 2 + tables.fill;
}

// log, exp, square root, and log of normal numbers (0 to 3) of `count` numbers.
void evaluate_plain(int64_t function, bool single, int64_t count, const void* from, void* to);
#if defined(__x86_64__)
void evaluate_avx2(int64_t function, bool single, int64_t count, const void* from, void* to);
void evaluate_avx512(int64_t function, bool single, int64_t count, const void* from, void* to);
#endif

void run_coolant_plain(const CoolantWork& work, int64_t unit, void* scratch);
#if defined(__x86_64__)
void run_coolant_avx2(const CoolantWork& work, int64_t unit, void* scratch);
void run_coolant_avx512(const CoolantWork& work, int64_t unit, void* scratch);
#endif

}  // namespace voltherm
