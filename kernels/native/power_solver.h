// Newton's method in a group of lanes: which lane goes on, goes back or ends. Included by power_flow.h.
//
// Convergence, line search and result codes are those of voltherm.numerics.newton. A step with factors that are not
// those of its own Jacobian is taken where it lowers the residual; where it does not, the lane waits for fresh ones.

constexpr double round_off_floor = 1000, round_off_step = 4, sufficient_decrease = 1e-4;
constexpr double shortest_fraction = 1.0 / 1024;

// Newton's method in a group of lanes; template parameters as in PowerSystem.
template <class T, class F, int W, int N>
struct PowerSolver {
  using System = PowerSystem<T, F, W, N>;
  using P = Pack<T, W>;
  using Q = Pack<F, W>;
  static constexpr bool alone = W == 1 && std::is_same_v<T, F>;
  static constexpr T epsilon = Format<T>::epsilon;

  System& system;
  int64_t lane, count;
  // The plan; an exact one makes fresh factors for every step.
  int64_t shared_steps, chords;
  bool pivots = false;  // every step by a solve with pivoting
  bool running[W];
  T norm[W], residual[W], worst[W], fraction[W];
  int32_t iterations[W], result[W];

  PowerSolver(System& system, int64_t lane, int64_t count, int64_t shared_steps, int64_t chords)
      : system(system), lane(lane), count(count), shared_steps(shared_steps), chords(chords) {}

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

  // Measures the lanes where they start.
  void begin(Step step) {
    system.weigh_nothing();
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
    system.weigh_nothing();
    if constexpr (alone)
      if (step == Step::pivoted) pivot(system, false);
    system.sweep([&](const Segment& segment) { backward(step, segment); },
                 [&](const Segment& segment) { clear(next, segment); },
                 [&](const Segment& segment) { forward(next, segment); });
  }

  // The forward pass once more, after lanes have gone back by so much of their step and hold the rest of it.
  void repeat(Step next, const T* change, const T* held) {
    system.go_back(P::load(change), P::load(held));
    system.weigh_nothing();
    system.sweep([](const Segment&) {}, [&](const Segment& segment) { clear(next, segment); },
                 [&](const Segment& segment) { forward(next, segment); });
  }

  void solve(int64_t maximum) {
    alignas(64) T sums[W], largest[W], rows[W];
    const auto measured = [&] {
      system.sum.store(sums), system.largest.store(largest), system.worst.store(rows);
      for (int n = 0; n < W; ++n) sums[n] = finite(sums[n]) ? __builtin_sqrt(sums[n]) : T(__builtin_inf());
    };
    Step step = step_of(0);
    system.read_demand(lane, count);
    begin(step);
    measured();
    bool all_sound = true;
    for (int n = 0; n < count; ++n) all_sound = all_sound && finite(sums[n]);
    if (!all_sound) {
      alignas(64) T places[W];
      system.looks_for_nan = true;
      begin(step);
      system.worst.store(places);
      system.looks_for_nan = false;
      for (int n = 0; n < W; ++n) rows[n] = finite(sums[n]) ? rows[n] : places[n];
    }
    for (int n = 0; n < W; ++n) {
      const bool sound = finite(sums[n]), met = meets(sums[n], largest[n]);
      norm[n] = sums[n], worst[n] = rows[n], iterations[n] = 0;
      residual[n] = sound ? largest[n] : T(__builtin_nan(""));
      result[n] = met ? converged : sound ? maximum_iterations : not_finite;
      running[n] = n < count && sound && !met;
    }
    for (int64_t number = 0; number < maximum && any_running(); ++number) {
      const Step next = step_of(number + 1);
      advance(step, next);
      measured();
      alignas(64) F broken[W], longest[W];
      system.broken.store(broken), system.largest_step.store(longest);
      const bool exact = step == Step::fresh || step == Step::pivoted;
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
          result[n] = singular;
        }
      }
      for (;;) {
        bool again = false;
        alignas(64) T change[W] = {};
        for (int n = 0; n < W; ++n) {
          if (!open[n]) continue;
          const bool descended = sums[n] <= (1 - T(sufficient_decrease) * fraction[n]) * norm[n];
          if (!descended && exact && fraction[n] > T(shortest_fraction)) {
            fraction[n] *= T(0.5);
            change[n] = held[n] = fraction[n];
            again = true;
            continue;
          }
          open[n] = false;
          if (!descended && !exact && !meets(sums[n], largest[n])) {  // left to the next fresh factors
            change[n] = 1, held[n] = 0;
            again = true;
            continue;
          }
          change[n] = judge(n, descended, exact, longest[n], sums[n], largest[n], rows[n]);
          if (change[n] != T(0)) held[n] = 0, again = true;
        }
        if (!again) break;
        repeat(next, change, held);
        measured();
      }
      step = next;
    }
  }

  bool any_running() const {
    bool any = false;
    for (int n = 0; n < W; ++n) any = any || running[n];
    return any;
  }

  // Ends a step of one lane; returns by how much of it the unknowns have to go back.
  T judge(int n, bool descended, bool exact, F longest, T trial, T trial_largest, T row) {
    const bool met = meets(trial, trial_largest);
    bool settled = met;
    if (!met && exact && (!descended || static_cast<T>(longest) <= T(round_off_step) * epsilon * T(1e6)))
      settled = stands_still(n, descended);
    if (settled) {
      result[n] = converged;
    } else if (!descended) {
      result[n] = no_descent;
    }
    running[n] = descended && !settled;
    if (!met && !(trial < norm[n])) return fraction[n];
    norm[n] = trial, residual[n] = trial_largest, worst[n] = row;
    return 0;
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
        for (int n = 0; n < count; ++n) {
          if (!wanted[n]) continue;
          const int64_t row = part * work.size + bus;
          const T begun = operand<T, 1>(work, start, row, lane + n, 1).part;
          const T left = finite(begun) ? begun : T(0);
          to[n * 2 * work.size + row] = result[n] == converged ? numbers[n] : left;
        }
      }
    }
    for (int n = 0; n < count; ++n) {
      if (!wanted[n]) continue;
      static_cast<T*>(work.residual)[lane + n] = residual[n];
      work.iterations[lane + n] = iterations[n];
      work.result[lane + n] = result[n];
      work.worst[lane + n] = static_cast<int32_t>(worst[n]);
    }
  }
};
