// Batched power flow by Newton's method, one group of lanes at a time: the same source for every instruction set.
//
// A file that includes this defines RUN_POWER_FLOW, the name of the kernel, and VECTOR_BYTES, and is compiled with the
// flags of its instruction set. Convergence, line search and result codes are those of voltherm.numerics.newton, lane
// by lane. What a lane does depends on its own numbers alone: a lane that has finished takes steps of zero.
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <cstdlib>
#include <type_traits>
#include <utility>

#include "power_flow_work.h"
#include "recovery.h"

namespace voltherm {
namespace {

#include "pack.h"
#include "rows.h"
#include "mathematics.h"
#include "trigonometry.h"
#include "power_network.h"
#include "power_system.h"
#include "power_linear.h"
#include "power_solver.h"

// Takes out of `wanted` the lanes whose Jacobian elimination in a fixed order could solve with where they ended: those
// have no solution to be found. What is left is a case for pivoting.
template <class T, int W, int N>
__attribute__((noinline)) void keep_doubtful(PowerSystem<T, T, W, N>& system, const PowerSolver<T, T, W, N>& solver,
                                             bool* wanted) {
  bool any = false;
  for (int n = 0; n < W; ++n) {
    wanted[n] = wanted[n] && solver.result[n] != not_finite;
    any = any || wanted[n];
  }
  if (!any) return;
  const Pack<T, W> one = Pack<T, W>::of(1), zero = Pack<T, W>::of(0);
  for (int64_t at = 0; at < system.work.size; ++at) {
    system.node[at].active = system.node[at].reactive = zero;
    system.node[at].side[0] = system.node[at].side[1] = one;
    system.unknown[at].angle = system.unknown[at].logarithm = one;
  }
  solve_for_side<false>(system, [](const Segment&) {});
  alignas(64) T left[W];
  excess<false>(system).store(left);
  for (int n = 0; n < W; ++n) wanted[n] = wanted[n] && !(left[n] <= T(0));
}

// Solves the lanes in `wanted`, and takes out of it those that have converged, or for which nothing else is to be tried.
template <class T, class F, int W, int N>
void solve_group(const PowerWork& work, int64_t lane, int64_t count, const PowerNetwork<T, F, N>& network,
                 const PowerFactors<F, 1>& common, CommonStart<T>* common_start, Arena arena, int64_t shared_steps,
                 int64_t chords, bool* wanted) {
  PowerSystem<T, F, W, N> system(work);
  system.network = network;
  system.common = common;
  system.common_start = common_start;
  system.place(arena);
  system.read_voltage_parts(lane, count, false);
  PowerSolver<T, F, W, N> solver(system, lane, count, shared_steps, chords);
  solver.solve(work.maximum_iterations);
  solver.write(wanted);
  for (int n = 0; n < W; ++n) wanted[n] = wanted[n] && n < count && solver.result[n] != converged;
  if constexpr (std::is_same_v<T, F>)
    if (shared_steps == 0 && chords == 0) keep_doubtful(system, solver, wanted);
}

// The memory that all units of a call share: the network and the factors at the start, where all lanes have the same.
template <class T, class F>
struct Common {
  PowerNetwork<T, F, 1> network;
  PowerNetwork<T, T, 1> exact_network;
  PowerFactors<F, 1> factors;
  CommonStart<T>* start;

  Common(const PowerWork& work, Arena& arena) {
    network.place(work, arena);
    exact_network.place(work, arena);
    factors.place(work, arena);
    start = arena.take<CommonStart<T>>(work.size);
  }
};

INLINE bool network_shared(const PowerWork& work) {
  bool shared = work.operand[fixed].shared && work.operand[shunt].shared;
  for (int n = 0; n < 8; ++n) shared = shared && work.operand[admittance + n].shared;
  return shared;
}

// A lane in which a pivot vanished or nearly did, once more with pivoting. Without memory for it it stays as it is.
template <class T>
void solve_alone(const PowerWork& work, int64_t lane) {
  Alone<T> alone(work, lane);
  if (alone.memory == nullptr) return;
  PowerSolver<T, T, 1, 1> solver(alone.system, lane, 1, 0, 0);
  solver.pivots = true;
  solver.solve(work.maximum_iterations);
  const bool wanted = true;
  solver.write(&wanted);
}

template <class T, class F, int W, int N>
void run_group(const PowerWork& work, int64_t unit, const Common<T, F>& common, Arena arena) {
  const int64_t lane = unit * W, left = work.lanes - lane, count = left < W ? left : W;
  PowerNetwork<T, F, N> network;
  PowerNetwork<T, T, N> exact_network;
  if constexpr (N == 1 && W != 1) {
    network = common.network;
    exact_network = common.exact_network;
  } else {
    exact_network.place(work, arena);
    if (work.linear || !work.single_factors) {
      read_network<T, T, W>(work, lane, count, exact_network);
    } else {
      network.place(work, arena);
      read_network<T, F, W>(work, lane, count, network);
    }
  }
  if (work.linear && work.transpose)
    return solve_linear<true, T, W, N>(work, lane, count, exact_network, common.start, arena);
  if (work.linear) return solve_linear<false, T, W, N>(work, lane, count, exact_network, common.start, arena);
  bool wanted[W];
  for (int n = 0; n < W; ++n) wanted[n] = n < count;
  if (work.single_factors) {
    // a lane that is alone is solved exactly at once
    const int64_t shared_steps = N == 1 && W != 1 ? work.shared_steps : 0, chords = W == 1 ? 0 : work.chords;
    solve_group<T, F, W, N>(work, lane, count, network, common.factors, common.start, arena, shared_steps, chords, wanted);
    bool any = false;
    for (int n = 0; n < W; ++n) any = any || wanted[n];
    if (!any) return;
    if constexpr (N != 1 || W == 1) read_network<T, T, W>(work, lane, count, exact_network);
  }
  solve_group<T, T, W, N>(work, lane, count, exact_network, {}, common.start, arena, 0, 0, wanted);
  for (int n = 0; n < count; ++n)
    if (wanted[n]) solve_alone<T>(work, lane + n);
}

template <class T, class F, int W>
void run_power(const PowerWork& work, Phase phase, int64_t unit, void* memory, void* scratch, int64_t bytes[2]) {
  const bool shared = W != 1 && network_shared(work);
  Arena common_arena{static_cast<char*>(memory)}, arena{static_cast<char*>(scratch)};
  if (phase == Phase::measure) {
    Common<T, F> common(work, common_arena);
    bytes[0] = common_arena.used;
    PowerNetwork<T, T, W>().place(work, arena);
    PowerNetwork<T, F, W>().place(work, arena);
    PowerSystem<T, T, W, W>(work).place(arena);  // the larger of the two that are used, one after the other
    bytes[1] = arena.used;
    return;
  }
  Common<T, F> common(work, common_arena);
  if (phase == Phase::prepare) {
    if (!shared) return;
    read_network<T, F, 1>(work, 0, 1, common.network);
    read_network<T, T, 1>(work, 0, 1, common.exact_network);
    if (!work.operand[start].shared) return;
    PowerSystem<T, F, 1, 1> system(work);
    system.network = common.network;
    system.place(arena);
    system.factors = common.factors;
    system.common_start = common.start;
    system.read_voltage_parts(0, 1, true);
    system.read_start(0, 1);
    system.sweep([&](const Segment& s) { system.template begin<false>(s); }, [&](const Segment& s) { system.clear(s); },
                 [&](const Segment& s) { system.template forward<Step::fresh, true, false, false, true>(s); });
    return;
  }
  if (shared) {
    run_group<T, F, W, 1>(work, unit, common, arena);
  } else {
    run_group<T, F, W, W>(work, unit, common, arena);
  }
}

}  // namespace

void RUN_POWER_FLOW(const PowerWork& work, Phase phase, int64_t unit, void* common, void* scratch, int64_t bytes[2]) {
  const bool alone = work.lanes == 1;
  if (work.single) {
    return alone ? run_power<float, float, 1>(work, phase, unit, common, scratch, bytes)
                 : run_power<float, float, power_group>(work, phase, unit, common, scratch, bytes);
  }
  return alone ? run_power<double, double, 1>(work, phase, unit, common, scratch, bytes)
               : run_power<double, float, power_group>(work, phase, unit, common, scratch, bytes);
}

}  // namespace voltherm
