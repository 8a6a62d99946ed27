// Batched power flow by Newton's method, one group of lanes at a time: the same source for every instruction set.
//
// A file that includes this defines RUN_POWER_FLOW, the name of the kernel, and VECTOR_BYTES, and is compiled with the
// flags of its instruction set. What a lane does depends on its own numbers alone: a lane that has finished takes steps of
// zero.
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <algorithm>
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

// Whether elimination in a fixed order cannot solve with the Jacobian where each of the lanes in `asked` ended: a case for
// pivoting. In other lanes that fail there is no solution to be found.
template <class T, int W, int N>
__attribute__((noinline)) void find_doubtful(PowerSystem<T, T, W, N>& system, const bool* asked, bool* doubtful) {
  bool any = false;
  for (int n = 0; n < W; ++n) any = any || asked[n];
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
  for (int n = 0; n < W; ++n) doubtful[n] = doubtful[n] || (asked[n] && !(left[n] <= T(0)));
}

// The quick way: solves the lanes in `wanted`, and takes out of it those that are done. A lane is done only at a root
// where the determinant is positive; steps contract there, so that its sign is that of the last factors.
template <class T, class F, int W, int N>
void solve_quickly(const PowerWork& work, int64_t lane, int64_t count, const PowerNetwork<T, F, N>& network,
                   const PowerFactors<F, 1>& common, F common_sign, CommonStart<T>* common_start, Arena arena,
                   int64_t shared_steps, bool* wanted) {
  PowerSystem<T, F, W, N> system(work);
  system.network = network;
  system.common = common;
  system.common_start = common_start;
  system.sign = Pack<F, W>::of(common_sign);
  system.place(arena);
  system.read_voltage_parts(lane, count, false);
  PowerSolver<T, F, W, N> solver(system, lane, count, shared_steps, work.chords);
  solver.careful = false;
  solver.solve(work.maximum_iterations);
  for (int n = 0; n < W; ++n) wanted[n] = wanted[n] && solver.result[n] == converged && solver.sign[n] > F(0);
  solver.write(wanted);
  for (int n = 0; n < W; ++n) wanted[n] = n < count && !wanted[n];
}

// What the careful way has left to do, lane by lane.
template <class T, int W>
struct Left {
  bool failed[W] = {};    // no root
  bool turned[W] = {};    // a root where the determinant is negative
  bool doubtful[W] = {};  // elimination in a fixed order could not do the Jacobian, or not tell its sign
  T first_sign[W] = {};   // of the determinant where the lane began
};

// The careful way, for the lanes in `wanted`. `rescues`: only lanes that it can do are written.
template <class T, int W, int N>
Left<T, W> solve_carefully(const PowerWork& work, int64_t lane, int64_t count, const PowerNetwork<T, T, N>& network,
                           CommonStart<T>* common_start, Arena arena, const bool* wanted, bool rescues) {
  PowerSystem<T, T, W, N> system(work);
  system.network = network;
  system.common_start = common_start;
  system.common_start_serves = system.common_start_serves && !rescues;
  system.place(arena);
  system.read_voltage_parts(lane, count, false);
  PowerSolver<T, T, W, N> solver(system, lane, count, 0, 0);
  solver.solve(work.maximum_iterations);
  Left<T, W> left;
  bool written[W] = {}, asked[W] = {};
  for (int n = 0; n < count; ++n) {
    if (!wanted[n]) continue;
    const bool root = solver.result[n] == converged;
    left.first_sign[n] = solver.first_sign[n];
    left.failed[n] = !root;
    left.turned[n] = root && solver.sign[n] < T(0);
    left.doubtful[n] = root && solver.sign[n] == T(0);
    asked[n] = solver.result[n] != not_finite && (left.failed[n] || left.turned[n]) && !rescues;
    const bool rescued = root && (solver.sign[n] > T(0) || (left.turned[n] && left.first_sign[n] < T(0)));
    left.failed[n] = rescues ? !rescued : left.failed[n];
    written[n] = !rescues || rescued;
  }
  solver.write(written);
  find_doubtful(system, asked, left.doubtful);
  return left;
}

// The memory that all units of a call share: the network and the factors at the start, where all lanes have the same.
template <class T, class F>
struct Common {
  PowerNetwork<T, F, 1> network;
  PowerNetwork<T, T, 1> exact_network;
  PowerFactors<F, 1> factors;
  F* sign;  // of the determinant of their matrix
  CommonStart<T>* start;

  Common(const PowerWork& work, Arena& arena) {
    network.place(work, arena);
    exact_network.place(work, arena);
    factors.place(work, arena);
    sign = arena.take<F>(1);
    start = arena.take<CommonStart<T>>(work.size);
  }
};

INLINE bool network_shared(const PowerWork& work) {
  bool shared = work.operand[fixed].shared && work.operand[shunt].shared;
  for (int n = 0; n < 8; ++n) shared = shared && work.operand[admittance + n].shared;
  return shared;
}

// A lane with a root that no network runs at: its code, and the bus with the lowest voltage.
template <class T>
void refuse(const PowerWork& work, int64_t lane) {
  const T* const logarithm = static_cast<const T*>(work.unknown) + lane * 2 * work.size + work.size;
  work.worst[lane] = static_cast<int32_t>(std::min_element(logarithm, logarithm + work.size) - logarithm);
  work.result[lane] = inoperable;
  write_start<T>(work, lane);
}

// The sign of the determinant where a lane would begin anew, with pivoting.
template <class T>
int sign_anew(PowerSystem<T, T, 1, 1>& system, int64_t lane) {
  const PowerWork& work = system.work;
  for (int64_t at = 0; at < work.size; ++at) {
    const int64_t bus = work.order[at];
    system.unknown[at].angle = operand<T, 1>(work, fallback, bus, lane, 1);
    system.unknown[at].logarithm = operand<T, 1>(work, fallback, work.size + bus, lane, 1);
    system.turn(at);
    system.node[at].active = system.node[at].reactive = system.node[at].side[0] = system.node[at].side[1] =
        Pack<T, 1>::of(0);
  }
  system.sweep([](const Segment&) {}, [&](const Segment& segment) { system.clear(segment); },
               [&](const Segment& segment) { system.template forward<Step::pivoted, true, false>(segment); });
  return pivot(system, false);
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
  if (solver.result[0] == converged && solver.sign[0] < T(0) && sign_anew(alone.system, lane) > 0) refuse<T>(work, lane);
}

// Whether a lane that fails may begin somewhere else.
template <class T>
bool has_another_start(const PowerWork& work, int64_t lane) {
  bool differs = false;
  for (int64_t row = 0; row < 2 * work.size; ++row)
    differs = differs || operand<T, 1>(work, start, row, lane, 1).part != operand<T, 1>(work, fallback, row, lane, 1).part;
  return differs;
}

// The careful way from the start of every lane in `wanted`, from the other start where that fails, at last with pivoting.
//
// A root is refused where the determinant is negative, but positive at the other start, with flat voltages: between the
// two it passes through zero. Where it is negative there, too, as series capacitors may have it, nothing follows.
template <class T, int W, int N>
__attribute__((noinline)) void solve_all_carefully(const PowerWork& work, int64_t lane, int64_t count,
                                                   const PowerNetwork<T, T, N>& network, CommonStart<T>* common_start,
                                                   Arena arena, const bool* wanted) {
  Left<T, W> left = solve_carefully<T, W, N>(work, lane, count, network, common_start, arena, wanted, false);
  bool again[W] = {}, any = false;
  for (int n = 0; n < count; ++n) {
    const bool numbers = work.result[lane + n] != not_finite;
    again[n] = wanted[n] && numbers && (left.failed[n] || left.turned[n]) && has_another_start<T>(work, lane + n);
    any = any || again[n];
  }
  if (any) {
    PowerWork anew = work;
    anew.operand[start] = work.operand[fallback];
    const Left<T, W> second = solve_carefully<T, W, N>(anew, lane, count, network, common_start, arena, again, true);
    for (int n = 0; n < count; ++n) {
      if (!again[n]) continue;
      left.first_sign[n] = second.first_sign[n];
      if (!second.failed[n]) left.failed[n] = left.turned[n] = left.doubtful[n] = false;
    }
  }
  for (int n = 0; n < count; ++n) {
    if (!wanted[n]) continue;
    if (left.doubtful[n]) {
      solve_alone<T>(work, lane + n);
    } else if (left.turned[n] && left.first_sign[n] > T(0)) {
      refuse<T>(work, lane + n);
    }
  }
}

template <class T, class F, int W, int N>
void run_group(const PowerWork& work, int64_t unit, const Common<T, F>& common, Arena arena) {
  const int64_t lane = unit * W, left = work.lanes - lane, count = left < W ? left : W;
  PowerNetwork<T, F, N> network;
  PowerNetwork<T, T, N> exact_network;
  // a lane that is alone is solved carefully at once
  const bool quick = work.single_factors && !work.linear && W != 1;
  if constexpr (N == 1 && W != 1) {
    network = common.network;
    exact_network = common.exact_network;
  } else {
    exact_network.place(work, arena);
    if (quick) {
      network.place(work, arena);
      read_network<T, F, W>(work, lane, count, network);
    } else {
      read_network<T, T, W>(work, lane, count, exact_network);
    }
  }
  if (work.linear && work.transpose)
    return solve_linear<true, T, W, N>(work, lane, count, exact_network, common.start, arena);
  if (work.linear) return solve_linear<false, T, W, N>(work, lane, count, exact_network, common.start, arena);
  bool wanted[W];
  for (int n = 0; n < W; ++n) wanted[n] = n < count;
  if constexpr (W != 1) {
    if (quick) {
      solve_quickly<T, F, W, N>(work, lane, count, network, common.factors, *common.sign, common.start, arena,
                                N == 1 ? work.shared_steps : 0, wanted);
      bool any = false;
      for (int n = 0; n < W; ++n) any = any || wanted[n];
      if (!any) return;
      if constexpr (N != 1) read_network<T, T, W>(work, lane, count, exact_network);
    }
  }
  solve_all_carefully<T, W, N>(work, lane, count, exact_network, common.start, arena, wanted);
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
    system.count_no_sign();
    system.sweep([&](const Segment& s) { system.template begin<false>(s); }, [&](const Segment& s) { system.clear(s); },
                 [&](const Segment& s) { system.template forward<Step::fresh, true, false, false, true>(s); });
    *common.sign = system.sign.part;
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
