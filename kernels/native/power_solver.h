// Newton's method in a group of lanes: which lane goes on, goes back or ends. Included by power_flow.h.
//
// Two ways. Carefully, with the factors of every Jacobian in full precision: convergence, line search and result codes
// are those of voltherm.numerics.newton. Or quickly, with factors in single precision, of a Jacobian before or of one
// that lanes share: then only whole steps are taken, and a lane is given up, for the careful way from its start, when
//
//     max |step k+1| > 1/4 max |step k|      or the mismatch does not fall
//
// So contract the steps of Newton's method and of its simplified form wherever Kantorovich's theorem holds, in whose
// ball there is one root: Deuflhard (2004), Newton Methods for Nonlinear Problems, sections 2.1 and 2.2.1. The two ways
// then end in the same root, and the quick one never chooses among several.

constexpr double round_off_floor = 1000, round_off_step = 4, sufficient_decrease = 1e-4;
constexpr double shortest_fraction = 1.0 / 1024;
constexpr double contraction = 0.25, negligible_step = 1e-6;

// The unknowns of a lane's start, where they are finite, else zero.
template <class T>
void write_start(const PowerWork& work, int64_t lane) {
  T* const to = static_cast<T*>(work.unknown) + lane * 2 * work.size;
  for (int64_t row = 0; row < 2 * work.size; ++row) {
    const T begun = operand<T, 1>(work, start, row, lane, 1).part;
    to[row] = begun - begun == T(0) ? begun : T(0);
  }
}

// Newton's method in a group of lanes; template parameters as in PowerSystem.
template <class T, class F, int W, int N>
struct PowerSolver {
  using System = PowerSystem<T, F, W, N>;
  using P = Pack<T, W>;
  using Q = Pack<F, W>;
  static constexpr bool full = std::is_same_v<T, F>, alone = W == 1 && full;
  static constexpr T epsilon = Format<T>::epsilon;

  System& system;
  int64_t lane, count;
  // The plan; the careful way makes fresh factors for every step.
  int64_t shared_steps, chords;
  bool careful;
  bool pivots = false;  // every step by a solve with pivoting
  bool running[W];
  T norm[W], residual[W], worst[W], fraction[W];
  F last_step[W];
  F first_sign[W], sign[W];  // of the determinant of the Jacobian where a lane begins, and of the last fresh factors
  int32_t iterations[W], result[W];

  PowerSolver(System& system, int64_t lane, int64_t count, int64_t shared_steps, int64_t chords)
      : system(system), lane(lane), count(count), shared_steps(shared_steps), chords(chords),
        careful(full && shared_steps == 0 && chords == 0) {}

  static INLINE bool finite(T number) { return number - number == T(0); }

  // NaN does not count in the largest residual, but makes the norm infinite.
  bool meets(T norm_of, T largest_of) const { return finite(norm_of) && largest_of <= system.work.tolerance; }

  Step step_of(int64_t number) const {
    if (pivots) return Step::pivoted;
    if (number < shared_steps) return Step::common;
    return (number - shared_steps) % (chords + 1) == 0 ? Step::fresh : Step::kept;
  }

  void forward(Step step, const Segment& segment) {
    switch (step) {
      case Step::fresh: return system.template forward<Step::fresh, false, false>(segment);
      case Step::kept: return system.template forward<Step::kept, false, false>(segment);
      case Step::common: return system.template forward<Step::common, false, false>(segment);
      case Step::pivoted:
        if constexpr (alone) return system.template forward<Step::pivoted, false, false>(segment);
    }
  }

  void backward(Step step, const Segment& segment) {
    switch (step) {
      case Step::fresh: return system.template backward<Step::fresh, false, false>(segment);
      case Step::kept: return system.template backward<Step::kept, false, false>(segment);
      case Step::common: return system.template backward<Step::common, false, false>(segment);
      case Step::pivoted:
        if constexpr (alone) return system.template backward<Step::pivoted, false, false>(segment);
    }
  }

  void clear(Step step, const Segment& segment) {
    if (step == Step::fresh || step == Step::pivoted) system.clear(segment);
  }

  // Before a forward pass.
  void begin_measuring(Step step) {
    system.weigh_nothing();
    if (step == Step::fresh) system.count_no_sign();
  }

  // Measures the lanes where they start.
  void begin(Step step) {
    begin_measuring(step);
    system.read_start(lane, count);
    const auto down = [&](const Segment& segment) { system.template begin<false>(segment); };
    const auto up = [&](const Segment& segment) {
      if constexpr (N == 1 && W != 1)
        if (step == Step::common) return system.template forward<Step::common, false, false, true>(segment);
      forward(step, segment);
    };
    system.sweep(down, [&](const Segment& segment) { clear(step, segment); }, up);
  }

  // One step with the factors at hand, and the forward pass of the next.
  void advance(Step step, Step next) {
    alignas(64) F on[W];
    for (int n = 0; n < W; ++n) on[n] = running[n] ? F(1) : F(0);
    system.active = Q::load(on);
    system.take_no_step();
    begin_measuring(next);
    if constexpr (alone)
      if (step == Step::pivoted) pivot(system, false);
    system.sweep([&](const Segment& segment) { backward(step, segment); },
                 [&](const Segment& segment) { clear(next, segment); },
                 [&](const Segment& segment) { forward(next, segment); });
  }

  // The forward pass once more, after lanes have gone back and hold so much of their step.
  void repeat(Step next, const T* held) {
    system.go_back(P::load(held));
    begin_measuring(next);
    system.sweep([](const Segment&) {}, [&](const Segment& segment) { clear(next, segment); },
                 [&](const Segment& segment) { forward(next, segment); });
  }

  // What a forward pass has measured: root of the sum of squares, largest mismatch and its bus.
  struct Measured {
    alignas(64) T norm[W], largest[W], row[W];
  };
  void measure(Measured& at) {
    system.sum.store(at.norm), system.largest.store(at.largest), system.worst.store(at.row);
    for (int n = 0; n < W; ++n) at.norm[n] = finite(at.norm[n]) ? __builtin_sqrt(at.norm[n]) : T(__builtin_inf());
    alignas(64) F signs[W];
    system.sign.store(signs);
    for (int n = 0; n < W; ++n) sign[n] = signs[n];
  }

  void solve(int64_t maximum) {
    Measured now{};
    Step step = step_of(0);
    system.read_demand(lane, count);
    begin(step);
    measure(now);
    settle_start(step, now);
    for (int64_t number = 0; number < maximum && any_running(); ++number) {
      const Step next = step_of(number + 1);
      advance(step, next);
      measure(now);
      if (careful) {
        search(next, now);
      } else {
        contract(now);
      }
      step = next;
    }
    if constexpr (alone)
      if (pivots) sign[0] = static_cast<F>(pivot(system, false));
  }

  // Which lanes are to run at all.
  void settle_start(Step step, Measured& at) {
    bool all_sound = true;
    for (int n = 0; n < count; ++n) all_sound = all_sound && finite(at.norm[n]);
    if (!all_sound) {
      alignas(64) T places[W];
      system.looks_for_nan = true;
      begin(step);
      system.worst.store(places);
      system.looks_for_nan = false;
      for (int n = 0; n < W; ++n) at.row[n] = finite(at.norm[n]) ? at.row[n] : places[n];
    }
    for (int n = 0; n < W; ++n) {
      const bool sound = finite(at.norm[n]), met = meets(at.norm[n], at.largest[n]);
      norm[n] = at.norm[n], worst[n] = at.row[n], iterations[n] = 0;
      residual[n] = sound ? at.largest[n] : T(__builtin_nan(""));
      result[n] = met ? converged : sound ? maximum_iterations : not_finite;
      running[n] = n < count && sound && !met;
      first_sign[n] = sign[n];
      last_step[n] = F(__builtin_inf());
    }
  }

  // Ends a quick step: a lane whose steps do not contract is given up.
  void contract(const Measured& now) {
    alignas(64) F broken[W], longest[W];
    system.broken.store(broken), system.largest_step.store(longest);
    for (int n = 0; n < W; ++n) {
      if (!running[n]) continue;
      ++iterations[n];
      const F most = F(contraction) * last_step[n];
      const bool met = meets(now.norm[n], now.largest[n]), small = longest[n] <= F(negligible_step);
      const bool contracts = broken[n] == F(0) && (longest[n] <= most || small) && (met || now.norm[n] < norm[n]);
      last_step[n] = longest[n];
      running[n] = contracts && !met;
      result[n] = !contracts ? no_descent : met ? converged : maximum_iterations;
      norm[n] = now.norm[n], residual[n] = now.largest[n], worst[n] = now.row[n];
    }
  }

  // Ends a careful step: halves it in the lanes where the mismatch does not fall enough.
  void search(Step next, Measured& now) {
    alignas(64) F broken[W], longest[W];
    system.broken.store(broken), system.largest_step.store(longest);
    bool open[W];
    alignas(64) T held[W];
    for (int n = 0; n < W; ++n) {
      open[n] = running[n];
      held[n] = 1;
      if (!running[n]) continue;
      ++iterations[n];
      fraction[n] = 1;
      if (broken[n] != F(0)) {
        open[n] = running[n] = false;
        // after a step that was one it is the iteration that went astray, not the network
        result[n] = iterations[n] == 1 ? singular : no_descent;
      }
    }
    for (;;) {
      bool again = false;
      for (int n = 0; n < W; ++n) {
        if (!open[n]) continue;
        const bool descended = now.norm[n] <= (1 - T(sufficient_decrease) * fraction[n]) * norm[n];
        if (!descended && fraction[n] > T(shortest_fraction)) {
          held[n] = fraction[n] *= T(0.5);
          again = true;
          continue;
        }
        open[n] = false;
        if (!judge(n, descended, longest[n], now.norm[n], now.largest[n], now.row[n])) held[n] = 0, again = true;
      }
      if (!again) return;
      if constexpr (full) repeat(next, held);
      measure(now);
    }
  }

  bool any_running() const {
    bool any = false;
    for (int n = 0; n < W; ++n) any = any || running[n];
    return any;
  }

  // Ends a step of one lane; returns whether it is kept.
  bool judge(int n, bool descended, F longest, T trial, T trial_largest, T row) {
    const bool met = meets(trial, trial_largest);
    bool settled = met;
    if (!met && (!descended || static_cast<T>(longest) <= T(round_off_step) * epsilon * T(1e6)))
      settled = stands_still(n, descended);
    if (settled) {
      result[n] = converged;
    } else if (!descended) {
      result[n] = no_descent;
    }
    running[n] = descended && !settled;
    if (!met && !(trial < norm[n])) return false;
    norm[n] = trial, residual[n] = trial_largest, worst[n] = row;
    return true;
  }

  // Whether the last step of a lane is round-off, or no step lowers a residual that is.
  bool stands_still(int n, bool descended) const {
    bool still = true;
    T longest = 0, largest = 0;
    const auto lane_of = [n](const auto& pack) {
      alignas(64) typename std::decay<decltype(pack)>::type copy = pack;
      using Number = typename std::conditional<sizeof(copy) == sizeof(P) && sizeof(T) != sizeof(F), T, F>::type;
      return static_cast<T>(reinterpret_cast<const Number*>(&copy)[n]);
    };
    for (int64_t at = 0; at < system.work.size; ++at) {
      const auto& own = system.unknown[at];
      for (int part = 0; part < 2; ++part) {
        const T step = lane_of(own.step[part]);
        const T before = lane_of(part == 0 ? own.angle : own.logarithm) + fraction[n] * step;
        const T size = __builtin_fabs(step), place = __builtin_fabs(before);
        still = still && size <= T(round_off_step) * epsilon * place;
        longest = size > longest ? size : longest;
        largest = place > largest ? place : largest;
      }
    }
    const bool floor = residual[n] <= T(round_off_floor) * epsilon || longest <= T(round_off_floor) * epsilon * largest;
    return still || (floor && !descended);
  }

  // Results of the lanes in `wanted`; where there is no solution, unknowns are those of the start that are finite, or 0.
  __attribute__((noinline)) void write(const bool* wanted) {
    const PowerWork& work = system.work;
    T* const to = static_cast<T*>(work.unknown) + lane * 2 * work.size;
    bool all = true;
    for (int n = 0; n < count; ++n) all = all && wanted[n] && result[n] == converged;
    for (int part = 0; part < 2; ++part) {
      const auto number = [&](int64_t bus) {
        const auto& own = system.unknown[work.position[bus]];
        return part == 0 ? own.angle : own.logarithm;
      };
      if (all) {
        write_rows<T, W>(to + part * work.size, 2 * work.size, work.size, count, number);
        continue;
      }
      for (int64_t bus = 0; bus < work.size; ++bus) {
        alignas(64) T numbers[W];
        number(bus).store(numbers);
        for (int n = 0; n < count; ++n)
          if (wanted[n] && result[n] == converged) to[n * 2 * work.size + part * work.size + bus] = numbers[n];
      }
    }
    for (int n = 0; n < count; ++n) {
      if (!wanted[n]) continue;
      if (result[n] != converged) write_start<T>(work, lane + n);
      static_cast<T*>(work.residual)[lane + n] = residual[n];
      work.iterations[lane + n] = iterations[n];
      work.result[lane + n] = result[n];
      work.worst[lane + n] = static_cast<int32_t>(worst[n]);
    }
  }
};
