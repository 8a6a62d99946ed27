// Todini's global gradient method on one group of lanes: the iteration of voltherm/coolant/global_gradient.py.
//
// A file that includes this defines RUN and EVALUATE, the names of the kernel and of a test's way to the elementary
// functions, and VECTOR_BYTES, and is compiled with the flags of its instruction set. Everything else has internal linkage
// and no library function is called, so that the linker cannot mix code of two instruction sets.
//
//     step:  (Aᵀ g A) x = R_node - Aᵀ g R_branch,   m <- m - fraction g (R_branch + A x),   p <- p - x,   g = 1 / slope
//
// The matrix is symmetric: one triangle is stored, and the right-hand side is eliminated along with it. All arrays of an
// iteration stay in cache. A lane that has finished goes on through the arithmetic, but its flows and pressures stay.
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <type_traits>
#include <utility>

#include "coolant_work.h"

namespace voltherm {
namespace {

#include "pack.h"
#include "rows.h"
#include "mathematics.h"
#include "laws.h"

constexpr double least_slope = 1e-6, least_scale = 1, relaxation = 0.6, round_off_floor = 1000, stalled = 0.5;
constexpr int64_t full_steps = 15;

template <class T, int W>
class Coolant {
  using P = Pack<T, W>;

 public:
  Coolant(const CoolantWork& work, int64_t unit, void* scratch)
      : work_(work), tables_(work.tables), lane_(unit * W), count_(work.lanes - lane_ < W ? work.lanes - lane_ : W) {
    P* next = static_cast<P*>(scratch);
    const auto take = [&next](int64_t packs) {
      P* const first = next;
      next += packs;
      return first;
    };
    flow_ = take(tables_.branches), residual_ = take(tables_.branches), conductance_ = take(tables_.branches);
    carried_ = take(tables_.frictions);
    pressure_ = take(tables_.free + 1), step_ = take(tables_.free + 1);
    diagonal_ = take(tables_.free), lower_ = take(tables_.fill);
    // a single lane's packs are single numbers, and pointers ask for more
    const int64_t misplaced = reinterpret_cast<uintptr_t>(next) % alignof(Constant<T, W>);
    if (misplaced) next += (static_cast<int64_t>(alignof(Constant<T, W>)) - misplaced) / static_cast<int64_t>(sizeof(P));
    constants_ = reinterpret_cast<Constant<T, W>*>(next);
    next += (work.constant_count * static_cast<int64_t>(sizeof(Constant<T, W>)) + sizeof(P) - 1) / sizeof(P);
    for (int64_t number = 0; number < work.constant_count; ++number) constants_[number] = constant(work.constants[number], next);
    if (work.one_step) return;
    drive_ = constant(work.drive, next), demand_ = constant(work.demand, next);
  }

  void solve() {
    begin();
    for (int64_t iteration = 0; iteration < work_.iterations && running_; ++iteration) {
      factor_and_solve();
      const bool late = iteration >= full_steps && iteration % 2 == 1;
      move_pressures();
      evaluate_branches<false>(P::of(static_cast<T>(late ? relaxation : 1)));
      gather_at_nodes<true>();
      decide(iteration + 1);
    }
    for (int lane = 0; lane < W; ++lane) finished_[lane] = running(lane);
    find_worst();
    write();
  }

  // The step from given flows for given right-hand sides, without moving: J^-1 times a vector.
  void step() {
    const P least = P::of(static_cast<T>(least_slope)), one = P::of(1);
    for (int64_t place = 0; place < tables_.branches; ++place) {
      const int32_t branch = tables_.branch[place];
      const auto drop = law(place, filled(load(work_.flow, branch)), true);
      conductance_[place] = one / least.where_greater(drop.slope, least, drop.slope);
      residual_[place] = filled(load(work_.right_branches, branch));
    }
    for (int64_t position = 0; position < tables_.free; ++position)
      step_[position] = filled(load(work_.right_nodes, tables_.node[position]));
    step_[tables_.free] = P::of(0);
    gather_at_nodes<false>();
    factor_and_solve();
    for (int64_t place = 0; place < tables_.branches; ++place)
      flow_[place] = conductance_[place] * (residual_[place] + (step_[tables_.from[place]] - step_[tables_.to[place]]));
    write_vectors(flow_, step_);
  }

 private:
  INLINE Drop<P> law(int64_t place, const P& flow, bool first) const {
    const int32_t* start = tables_.group_start + tables_.group[place];
    return evaluate<T, W>(tables_.term + 3 * start[0], tables_.term + 3 * start[1], constants_, tables_.row[place], flow,
                          carried_ + tables_.friction[place], first);
  }

  INLINE P load(const Operand& operand, int64_t row) const {
    const T* first = static_cast<const T*>(operand.data);
    if (operand.rows == 1) row = 0;
    return operand.shared ? P::of(first[row]) : load_some<T, W>(first + lane_ * operand.rows + row, operand.rows, count_);
  }

  // Numbers as they lie in memory where all lanes share it, else copied to scratch memory.
  Constant<T, W> constant(const Operand& operand, P*& next) const {
    const int64_t step = operand.rows == 1 ? 0 : 1;
    if (operand.shared) return {static_cast<const T*>(operand.data), step, true};
    P* const copy = next;
    next += operand.rows;
    read_rows<T, W>(static_cast<const T*>(operand.data) + lane_ * operand.rows, operand.rows, operand.rows, count_,
                    [&](int64_t row, const P& numbers) { copy[row] = filled(numbers); });
    return {reinterpret_cast<const T*>(copy), step * W, false};
  }

  // The lanes that are not there repeat the first: whatever its numbers are, they are no worse for it.
  INLINE P filled(const P& pack) const {
    if (count_ == W) return pack;
    alignas(64) T numbers[W];
    pack.store(numbers);
    for (int64_t lane = count_; lane < W; ++lane) numbers[lane] = numbers[0];
    return P::load(numbers);
  }

  INLINE bool running(int lane) const { return active_[lane] != 0; }

  __attribute__((noinline)) void begin() {
    largest_drive_ = P::of(static_cast<T>(least_scale));
    for (int64_t branch = 0; branch < work_.drive.rows; ++branch)
      largest_drive_ = larger(absolute(drive_[branch]), largest_drive_);
    for (int64_t place = 0; place < tables_.branches; ++place) {
      flow_[place] = filled(load(work_.flow, tables_.branch[place]));
    }
    for (int64_t position = 0; position < tables_.free; ++position) {
      pressure_[position] = filled(load(work_.pressure, tables_.node[position]));
    }
    pressure_[tables_.free] = step_[tables_.free] = P::of(0);
    largest_flow_ = filled(load(work_.largest_flow, 0));
    evaluate_branches<true>(P::of(0));
    gather_at_nodes<true>();

    alignas(64) T norm[W];
    this->norm().store(norm);
    running_ = false;
    for (int lane = 0; lane < W; ++lane) {
      const bool finite = norm[lane] - norm[lane] == 0, met = norm[lane] <= static_cast<T>(work_.tolerance);
      result_[lane] = met ? converged : finite ? maximum_iterations : not_finite;
      norm_[lane] = norm[lane], iterations_[lane] = 0;
      active_[lane] = finite && !met && lane < count_;
      finished_[lane] = !active_[lane];
      running_ = running_ || active_[lane] != 0;
    }
    find_worst();
  }

  // The step of the flows, but for the first evaluation and for lanes that are finished; pressure drops and slopes there:
  // residuals of the branches and conductances.
  template <bool First>
  void evaluate_branches(const P& fraction) {
    const P least = P::of(static_cast<T>(least_slope)), zero = P::of(0), one = P::of(1), active = P::load(active_);
    P largest = largest_drive_, worst = zero, broken = zero;
    for (int64_t place = 0; place < tables_.branches; ++place) {
      const int32_t from = tables_.from[place], to = tables_.to[place];
      P flow = flow_[place];
      if (!First) {
        const P step = conductance_[place] * (residual_[place] + (step_[from] - step_[to]));
        flow = active.where_greater(zero, flow - fraction * step, flow);
        flow_[place] = flow;
      }
      const auto drop = law(place, flow, First);
      const P push = drive_[tables_.branch[place]] + (pressure_[from] - pressure_[to]);
      const P residual = drop.value - push;
      residual_[place] = residual;
      conductance_[place] = one / least.where_greater(drop.slope, least, drop.slope);  // NaN stays
      largest = larger(absolute(drop.value), largest);
      worst = larger(absolute(residual), worst);
      broken = broken + residual * zero;
    }
    largest_drop_ = largest, worst_branch_ = worst, broken_ = broken;
  }

  INLINE P continuity(int64_t position) const {
    P sum = demand_[tables_.node[position]];
    for (int32_t at = tables_.incident_start[position]; at < tables_.incident_start[position + 1]; ++at) {
      const int32_t incident = tables_.incident[at];
      const P flow = flow_[incident >> 1];
      sum = incident & 1 ? sum - flow : sum + flow;
    }
    return sum;
  }

  // The linear system of the nodes, from the residuals and conductances of their branches; right-hand sides of the nodes
  // are their balances, or given.
  template <bool Balances>
  __attribute__((noinline)) void gather_at_nodes() {
    const P zero = P::of(0);
    P worst = zero, broken = broken_;
    for (int64_t position = 0; position < tables_.free; ++position) {
      P balance = Balances ? demand_[tables_.node[position]] : step_[position], pushed = zero, diagonal = zero;
      for (int32_t at = tables_.incident_start[position]; at < tables_.incident_start[position + 1]; ++at) {
        const int32_t incident = tables_.incident[at], place = incident >> 1;
        const P conductance = conductance_[place], push = conductance * residual_[place];
        diagonal = diagonal + conductance;
        if (Balances) balance = incident & 1 ? balance - flow_[place] : balance + flow_[place];
        pushed = incident & 1 ? pushed - push : pushed + push;
      }
      diagonal_[position] = diagonal;
      step_[position] = balance - pushed;
      worst = larger(absolute(balance), worst);
      broken = broken + balance * zero;
    }
    for (int64_t number = 0; number < tables_.fill; ++number) {
      P sum = zero;
      for (int32_t at = tables_.entry_start[number]; at < tables_.entry_start[number + 1]; ++at)
        sum = sum - conductance_[tables_.entry[at]];
      lower_[number] = sum;
    }
    worst_node_ = worst, broken_ = broken;
  }

  // The largest scaled residual, NaN where any is not finite.
  INLINE P norm() const {
    P norm = worst_branch_ / largest_drop_;
    if (tables_.free) norm = larger(norm, worst_node_ / largest_flow_);
    return norm + broken_;
  }

  __attribute__((noinline)) void factor_and_solve() {
    const P one = P::of(1), zero = P::of(0);
    const int32_t* target = tables_.target;
    P broken = zero;  // NaN in a lane with a pivot that has no finite inverse
    for (int64_t pivot = 0; pivot < tables_.free; ++pivot) {
      const P inverse = one / diagonal_[pivot], right = step_[pivot];
      diagonal_[pivot] = inverse;
      broken = broken + inverse * zero;
      const int32_t first = tables_.front_start[pivot], last = tables_.front_start[pivot + 1];
      for (int32_t i = first; i < last; ++i) {
        const P entry = lower_[i], scaled = entry * inverse;
        const int32_t neighbour = tables_.neighbour[i];
        diagonal_[neighbour] = diagonal_[neighbour] - entry * scaled;
        step_[neighbour] = step_[neighbour] - scaled * right;
        for (int32_t j = i + 1; j < last; ++j, ++target) lower_[*target] = lower_[*target] - scaled * lower_[j];
      }
    }
    for (int64_t pivot = tables_.free - 1; pivot >= 0; --pivot) {
      P sum = step_[pivot] + broken;
      for (int32_t i = tables_.front_start[pivot]; i < tables_.front_start[pivot + 1]; ++i)
        sum = sum - lower_[i] * step_[tables_.neighbour[i]];
      step_[pivot] = sum * diagonal_[pivot];
    }
  }

  __attribute__((noinline)) void move_pressures() {
    const P zero = P::of(0), active = P::load(active_);
    for (int64_t position = 0; position < tables_.free; ++position) {
      const P pressure = pressure_[position];
      pressure_[position] = active.where_greater(zero, pressure - step_[position], pressure);
    }
  }

  void decide(int32_t iteration) {
    constexpr T epsilon = Format<T>::epsilon;
    alignas(64) T norm[W];
    this->norm().store(norm);
    bool any = false;
    running_ = false;
    for (int lane = 0; lane < W; ++lane) {
      finished_[lane] = false;
      if (!running(lane)) continue;
      const T size = norm[lane];
      const bool finite = size - size == 0, met = size <= static_cast<T>(work_.tolerance);
      const bool floor = size <= static_cast<T>(round_off_floor) * epsilon && size > static_cast<T>(stalled) * norm_[lane];
      norm_[lane] = size, iterations_[lane] = iteration;
      if (finite && !met && !floor) {
        running_ = true;
        continue;
      }
      result_[lane] = finite ? converged : singular;
      active_[lane] = 0, finished_[lane] = any = true;
    }
    if (any) find_worst();
  }

  // The largest scaled residual of the lanes that have just finished: branches first, then free nodes.
  __attribute__((noinline)) void find_worst() {
    const P infinity = P::of(static_cast<T>(__builtin_inf()));
    const auto see = [&](const P& size, int64_t number, P& largest, P& worst) {
      const P seen = infinity.where_greater(size, size, infinity);
      worst = seen.where_greater(largest, P::of(static_cast<T>(number)), worst);
      largest = larger(seen, largest);
    };
    P at_branches = P::of(-1), worst = P::of(0), at_nodes = P::of(-1), worst_node = P::of(0);
    for (int64_t branch = 0; branch < tables_.branches; ++branch)
      see(absolute(residual_[tables_.place[branch]]), branch, at_branches, worst);
    for (int64_t node = 0; node < tables_.free; ++node)
      see(absolute(continuity(tables_.position[node])), tables_.branches + node, at_nodes, worst_node);
    worst = (at_nodes / largest_flow_).where_greater(at_branches / largest_drop_, worst_node, worst);
    alignas(64) T numbers[W];
    worst.store(numbers);
    for (int lane = 0; lane < W; ++lane)
      if (finished_[lane]) worst_[lane] = static_cast<int32_t>(numbers[lane]);
  }

  __attribute__((noinline)) void write_vectors(const P* of_branches, const P* of_nodes) const {
    const int64_t branches = tables_.branches, free = tables_.free;
    write_rows<T, W>(static_cast<T*>(work_.flow_result) + lane_ * branches, branches, branches, count_,
                     [&](int64_t branch) { return of_branches[tables_.place[branch]]; });
    write_rows<T, W>(static_cast<T*>(work_.pressure_result) + lane_ * free, free, free, count_,
                     [&](int64_t node) { return of_nodes[tables_.position[node]]; });
  }

  // A lane that ends in numbers that are none goes back to where it starts.
  void write_start(int64_t lane) const {
    const auto copy = [lane](const Operand& from, int64_t rows, void* to) {
      const T* first = static_cast<const T*>(from.data) + (from.shared ? 0 : lane * from.rows);
      for (int64_t row = 0; row < rows; ++row) static_cast<T*>(to)[lane * rows + row] = first[from.rows == 1 ? 0 : row];
    };
    copy(work_.flow, tables_.branches, work_.flow_result);
    copy(work_.pressure, tables_.free, work_.pressure_result);
  }

  void write() const {
    write_vectors(flow_, pressure_);
    for (int64_t lane = 0; lane < count_; ++lane) {
      static_cast<T*>(work_.residual)[lane_ + lane] = norm_[lane];
      work_.iterations_taken[lane_ + lane] = iterations_[lane];
      work_.result[lane_ + lane] = result_[lane];
      work_.worst[lane_ + lane] = worst_[lane];
      if (result_[lane] == not_finite || result_[lane] == singular) write_start(lane_ + lane);
    }
  }

  const CoolantWork& work_;
  const CoolantTables& tables_;
  const int64_t lane_, count_;
  P *flow_, *residual_, *conductance_, *carried_;  // of branches, by place
  P *pressure_, *step_, *diagonal_, *lower_;       // of free nodes, by position; `step` is the right-hand side, too
  Constant<T, W>* constants_;
  Constant<T, W> drive_, demand_;  // by number of the branch and of the free node
  P largest_drive_, largest_drop_, largest_flow_, worst_branch_, worst_node_, broken_ = P::of(0);
  bool running_ = false;
  alignas(64) T active_[W] = {};
  T norm_[W];
  int32_t iterations_[W], result_[W], worst_[W];
  bool finished_[W];
};

template <class T, int W>
void run_width(const CoolantWork& work, int64_t unit, void* scratch) {
  Coolant<T, W> coolant(work, unit, scratch);
  return work.one_step ? coolant.step() : coolant.solve();
}

template <class T>
void run_type(const CoolantWork& work, int64_t unit, void* scratch) {
  constexpr int group = static_cast<int>(64 / sizeof(T));
  if (work.width == 1) return run_width<T, 1>(work, unit, scratch);
  if (work.width == group) return run_width<T, group>(work, unit, scratch);
  return run_width<T, 2 * group>(work, unit, scratch);
}

template <class T>
void evaluate_function(int64_t function, int64_t count, const T* from, T* to) {
  constexpr int W = static_cast<int>(64 / sizeof(T));
  for (int64_t first = 0; first < count; first += W) {
    const int64_t some = count - first < W ? count - first : W;
    const Pack<T, W> x = load_some<T, W>(from + first, 1, some);
    const Pack<T, W> y = function == 0   ? logarithm(x)
                         : function == 1 ? exponential(x)
                         : function == 2 ? square_root(x)
                                         : logarithm_of_normal(x);
    store_some<T, W>(y, to + first, 1, some);
  }
}

}  // namespace

void EVALUATE(int64_t function, bool single, int64_t count, const void* from, void* to) {
  if (single) return evaluate_function(function, count, static_cast<const float*>(from), static_cast<float*>(to));
  return evaluate_function(function, count, static_cast<const double*>(from), static_cast<double*>(to));
}

void RUN(const CoolantWork& work, int64_t unit, void* scratch) {
  return work.single ? run_type<float>(work, unit, scratch) : run_type<double>(work, unit, scratch);
}

}  // namespace voltherm
