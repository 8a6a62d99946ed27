// One group of lanes of a power system: its numbers, and the two passes of a Newton step. Included by power_flow.h.
//
// Unknowns of a bus: angle theta and u = ln V. With w = V_k conj(V_j) the power of an admittance entry is
//
//     S_kj = conj(Y_kj) w,   S_jk = conj(Y_jk) conj(w);    A_kj = [Im S_kj, Re S_kj; -Re S_kj, Im S_kj]
//
// The forward pass takes pivots in postorder. Whatever a pivot needs of earlier buses has arrived by then, so that the
// mismatch, its Jacobian, the elimination of both and the forward substitution are one pass over the entries. The
// backward pass finds the step, takes it, and turns the new unknowns into voltages.

// How a step is found: with factors of its own Jacobian, the last ones, or those that all lanes share; or by a solve with
// pivoting, for which a forward pass only assembles the system (one lane).
enum class Step { fresh, kept, common, pivoted };

// A bus at a start that all lanes share: unknowns, voltage, and the power into the network.
template <class T>
struct CommonStart {
  T angle, logarithm, real, imaginary, active, reactive;
};

// T: numbers of the state; F: of the factors and the step; N: lanes of the network's numbers, W or 1 (shared).
template <class T, class F, int W, int N>
struct PowerSystem {
  using P = Pack<T, W>;
  using Q = Pack<F, W>;
  struct Node {
    P real, imaginary, active, reactive;  // voltage; powers to buses met so far
    Q side[2];
  };
  // Before a step; only where it is in the precision of the unknowns does going back come down to their last digits.
  struct Origin {
    P angle, logarithm;
  };
  struct NoOrigin {};
  static constexpr bool keeps_origin = std::is_same_v<T, F>;
  struct Unknown : std::conditional_t<keeps_origin, Origin, NoOrigin> {
    P angle, logarithm;
    Q step[2];
  };
  struct Voltage {  // parts of the load that follow the voltage and its square
    P current[2], impedance[2];
  };

  const PowerWork& work;
  PowerNetwork<T, F, N> network;
  PowerFactors<F, 1> common;
  CommonStart<T>* common_start;
  PowerFactors<F, W> factors;
  Node* node;
  Unknown* unknown;
  P* demand;  // two of each bus: constant load less generation
  Voltage* voltage;
  bool follows_voltage, looks_for_nan = false;
  P sum, largest, worst;  // of the residual: sum of squares, largest magnitude, the bus that has it
  Q active;               // 1 in lanes that still run
  Q broken, largest_step;
  // Of the determinant of the Jacobian with the last fresh factors: 1 or -1; 0 where a pivot vanished or is no number.
  Q sign;
  bool common_start_serves;  // lanes begin where `common_start` says, if it is for them

  explicit PowerSystem(const PowerWork& work) : work(work), common_start_serves(work.operand[start].shared) {}

  void place(Arena& arena) {
    factors.place(work, arena);
    node = arena.take<Node>(work.size);
    unknown = arena.take<Unknown>(work.size);
    demand = arena.take<P>(2 * work.size);
    voltage = arena.take<Voltage>(work.size);
  }

  // Everything is read in the order in which it lies in memory, and kept in the order of elimination.

  // Loads less generation.
  __attribute__((noinline)) void read_demand(int64_t lane, int64_t count) {
    const P per_unit = P::of(T(1 / work.base_power));
    for (int n = 0; n < 2; ++n) {
      const auto place = [&](int64_t bus) -> P& { return demand[2 * static_cast<int64_t>(work.position[bus]) + n]; };
      each_row<T, W>(work, load + 3 * n, 0, work.size, lane, count,
                     [&](int64_t bus, const P& drawn) { place(bus) = drawn; });
      each_row<T, W>(work, generation, n * work.size, work.size, lane, count,
                     [&](int64_t bus, const P& fed) { place(bus) = per_unit * (place(bus) - fed); });
    }
  }

  // The start, unless it is the common one.
  __attribute__((noinline)) void read_start(int64_t lane, int64_t count) {
    if (starts_in_common()) return;
    each_row<T, W>(work, start, 0, work.size, lane, count,
                   [&](int64_t bus, const P& angle) { unknown[work.position[bus]].angle = angle; });
    each_row<T, W>(work, start, work.size, work.size, lane, count,
                   [&](int64_t bus, const P& size) { unknown[work.position[bus]].logarithm = size; });
  }

  bool starts_in_common() const { return N == 1 && W != 1 && common_start_serves; }

  // Parts of the load that follow the voltage. Only those that all lanes share may enter factors that all share.
  void read_voltage_parts(int64_t lane, int64_t count, bool only_shared) {
    const P zero = P::of(0), per_unit = P::of(T(1 / work.base_power));
    follows_voltage = false;
    for (int n = 0; n < 4; ++n) {
      const int which = load + 3 * (n / 2) + 1 + n % 2;
      if (only_shared && !work.operand[which].shared) continue;
      P any = zero;
      each_row<T, W>(work, which, 0, work.size, lane, count,
                     [&](int64_t, const P& part) { any = any + absolute(part); });
      follows_voltage = follows_voltage || any_nonzero(any);
    }
    if (!follows_voltage) return;
    for (int n = 0; n < 4; ++n) {
      const int which = load + 3 * (n / 2) + 1 + n % 2;
      const bool left_out = only_shared && !work.operand[which].shared;
      each_row<T, W>(work, which, 0, work.size, lane, count, [&](int64_t bus, const P& part) {
        Voltage& own = voltage[work.position[bus]];
        (n % 2 == 0 ? own.current : own.impedance)[n / 2] = left_out ? zero : per_unit * part;
      });
    }
  }

  // Puts buses where they start. `Given`: their right-hand side is there already, and takes the place of the unknowns.
  template <bool Given>
  __attribute__((noinline)) void begin(const Segment& segment) {
    for (int64_t at = segment.first; at < segment.last; ++at) {
      Node& here = node[at];
      here.active = here.reactive = P::of(0);
      if (starts_in_common()) {
        const CommonStart<T>& from = common_start[at];
        unknown[at].angle = P::of(from.angle);
        unknown[at].logarithm = P::of(from.logarithm);
        here.real = P::of(from.real);
        here.imaginary = P::of(from.imaginary);
      } else {
        turn(at);
      }
      if constexpr (Given) {
        unknown[at].angle = here.side[0];
        unknown[at].logarithm = here.side[1];
      } else {
        here.side[0] = here.side[1] = Q::of(0);
      }
    }
  }

  static bool any_nonzero(const P& pack) {
    alignas(64) T numbers[W];
    pack.store(numbers);
    bool any = false;
    for (int n = 0; n < W; ++n) any = any || numbers[n] != T(0);
    return any;
  }

  INLINE void turn(int64_t at) {
    P sine, cosine;
    sine_cosine(unknown[at].angle, sine, cosine);
    const P size = exponential(unknown[at].logarithm);
    node[at].real = size * cosine;
    node[at].imaginary = size * sine;
  }

  // Takes back the last step but for `held` of it, for another forward pass.
  __attribute__((noinline)) void go_back(const P& held) {
    for (int64_t at = 0; at < work.size; ++at) {
      Unknown& own = unknown[at];
      own.angle = own.Origin::angle - held * own.step[0];
      own.logarithm = own.Origin::logarithm - held * own.step[1];
      node[at].side[0] = node[at].side[1] = Q::of(0);
      turn(at);
    }
  }

  // NaN makes the sum NaN and is passed over by the rest, unless it is looked for: then the first bus that has one.
  // A mismatch below the floor counts in the sum alone.
  INLINE void weigh(const P& active_left, const P& reactive_left, const P& floor, int64_t bus) {
    sum = sum + active_left * active_left + reactive_left * reactive_left;
    P size = larger(absolute(active_left), absolute(reactive_left));
    size = floor.where_greater(size, P::of(0), size);
    if (looks_for_nan) {
      const P infinite = P::of(T(__builtin_inf())), all = active_left + reactive_left;
      size = (all - all).where_nan_else(P::of(0), infinite);
      const P sooner = worst.where_greater(P::of(T(bus)), size, P::of(0));
      largest = sooner.where_greater(P::of(1), P::of(-1), largest);
    }
    worst = size.where_greater(largest, P::of(T(bus)), worst);
    largest = larger(size, largest);
  }

  // Before a forward pass.
  void weigh_nothing() {
    sum = worst = P::of(0);
    largest = P::of(-1);
  }

  // Before fresh factors.
  void count_no_sign() { sign = Q::of(1); }

  // Before a backward pass.
  void take_no_step() { broken = largest_step = Q::of(0); }

  // Before fresh factors of a segment.
  void clear(const Segment& segment) {
    const int64_t first = work.front_start[segment.first], last = work.front_start[segment.last];
    if (!work.tree) __builtin_memset(static_cast<void*>(factors.off + first), 0, (last - first) * sizeof(*factors.off));
    __builtin_memset(static_cast<void*>(factors.diagonal + segment.first), 0,
                     (segment.last - segment.first) * sizeof(*factors.diagonal));
  }

  // `down` for every segment of the top from the root on, then `down` and `up` for every subtree while it is in cache,
  // then `up` for the top: a backward pass and the forward pass that follows it, in one sweep through memory.
  template <class Down, class Between, class Up>
  INLINE void sweep(const Down& down, const Between& between, const Up& up) {
    for (int64_t n = work.segments - 1; n >= 0; --n)
      if (work.segment[n].top) down(work.segment[n]), between(work.segment[n]);
    for (int64_t n = work.segments - 1; n >= 0; --n)
      if (!work.segment[n].top) down(work.segment[n]), between(work.segment[n]), up(work.segment[n]);
    for (int64_t n = 0; n < work.segments; ++n)
      if (work.segment[n].top) up(work.segment[n]);
  }

  // `Given`: the right-hand side lies in `side` already, and no residual is formed.
  // `AtStart`: all lanes are at the common start, where the powers are known. `Record`: keeps them.
  template <Step S, bool Given, bool Transpose, bool AtStart = false, bool Record = false>
  __attribute__((noinline)) void forward(const Segment& segment) {
    constexpr bool assembles = S == Step::fresh || S == Step::pivoted;
    const P zero = P::of(0);
    const int32_t* target = work.target + segment.target;
    for (int64_t at = segment.first; at < segment.last; ++at) {
      Node& here = node[at];
      P active_sum = here.active, reactive_sum = here.reactive;
      here.active = here.reactive = zero;
      const Q free_active = widened<W>(network.free_coupling[2 * at]);
      const Q free_reactive = widened<W>(network.free_coupling[2 * at + 1]);
      for (int64_t number = work.pair_start[at]; !AtStart && number < work.pair_start[at + 1]; ++number) {
        const int64_t off = work.pair_number[number], other = work.neighbour[off];
        Node& there = node[other];
        const Block<P> y = widened<W>(network.pair[number]);
        const auto flow = flow_between(here, there, y);
        active_sum = active_sum + flow.active_here;
        reactive_sum = reactive_sum + flow.reactive_here;
        there.active = there.active + flow.active_there;
        there.reactive = there.reactive - flow.drawn_there;
        if (assembles) {
          auto& blocks = factors.off[off];
          const Block<Q> upper = coupling(convert<F>(flow.active_here), convert<F>(flow.reactive_here), free_active,
                                          free_reactive);
          const Block<Q> lower = coupling(convert<F>(flow.active_there), convert<F>(zero - flow.drawn_there),
                                          widened<W>(network.free_coupling[2 * other]),
                                          widened<W>(network.free_coupling[2 * other + 1]));
          if (work.tree) {
            blocks.upper = upper, blocks.lower = lower;
          } else {
            blocks.upper.add(upper), blocks.lower.add(lower);
          }
        }
      }
      Own own = own_powers(at);
      if (AtStart) {
        own.active = P::of(common_start[at].active);
        own.reactive = P::of(common_start[at].reactive);
      }
      if constexpr (Record) {
        common_start[at] = {unknown[at].angle.part, unknown[at].logarithm.part, here.real.part, here.imaginary.part,
                            (active_sum + own.active).part, (reactive_sum + own.reactive).part};
      }
      if (!Given) {
        // at a set point nothing is left, unless it is not finite itself
        const P angle = unknown[at].angle, logarithm = unknown[at].logarithm;
        const P keep_active = widened<W>(network.free[2 * at]), keep_reactive = widened<W>(network.free[2 * at + 1]);
        const P active_all = active_sum + own.active + demand[2 * at] + own.load_active;
        const P reactive_all = reactive_sum + own.reactive + demand[2 * at + 1] + own.load_reactive;
        const P active_left = keep_active.where_greater(zero, active_all, angle - angle);
        const P reactive_left = keep_reactive.where_greater(zero, reactive_all, logarithm - logarithm);
        weigh(active_left, reactive_left, widened<W>(network.floor[at]), work.order[at]);
        here.side[0] = here.side[0] + convert<F>(active_left);
        here.side[1] = here.side[1] + convert<F>(reactive_left);
      }
      if (assembles) {
        Block<Q>& diagonal = factors.diagonal[at];
        const Block<P> block = own_block(at, active_sum, reactive_sum, own);
        diagonal.add({{convert<F>(block.n[0]), convert<F>(block.n[1]), convert<F>(block.n[2]), convert<F>(block.n[3])}});
      }
      if (S == Step::fresh) {
        eliminate_pivot<Transpose>(at, target);
      } else if (S != Step::pivoted) {
        const Q side0 = here.side[0], side1 = here.side[1];
        for (int64_t off = work.front_start[at]; off < work.front_start[at + 1]; ++off) {
          Node& there = node[work.neighbour[off]];
          const Block<Q> lower = S == Step::kept ? factors.off[off].lower : widened<W>(common.off[off].lower);
          there.side[0] = there.side[0] - lower.n[0] * side0 - lower.n[1] * side1;
          there.side[1] = there.side[1] - lower.n[2] * side0 - lower.n[3] * side1;
        }
      }
    }
  }

  // Power of a bus's own admittance, what of its load follows the voltage, and the slope of that.
  struct Own {
    P active, reactive, load_active, load_reactive, slope_active, slope_reactive;
  };
  INLINE Own own_powers(int64_t at) const {
    const P zero = P::of(0), square = node[at].real * node[at].real + node[at].imaginary * node[at].imaginary;
    Own own = {widened<W>(network.own[2 * at]) * square, zero - widened<W>(network.own[2 * at + 1]) * square,
               zero, zero, zero, zero};
    if (follows_voltage) {
      const Voltage& part = voltage[at];
      const P size = square_root(square);
      own.load_active = size * part.current[0] + square * part.impedance[0];
      own.load_reactive = size * part.current[1] + square * part.impedance[1];
      own.slope_active = own.load_active + square * part.impedance[0];
      own.slope_reactive = own.load_reactive + square * part.impedance[1];
    }
    return own;
  }

  // A_kk of a bus with so much power to its neighbours.
  INLINE Block<P> own_block(int64_t at, const P& active_sum, const P& reactive_sum, const Own& own) const {
    const P zero = P::of(0), one = P::of(1), two = P::of(2);
    const P keep_active = widened<W>(network.free[2 * at]), keep_reactive = widened<W>(network.free[2 * at + 1]);
    const P active_slope = active_sum + two * own.active + own.slope_active;
    const P reactive_slope = reactive_sum + two * own.reactive + own.slope_reactive;
    return {{keep_active.where_greater(zero, zero - reactive_sum, one),
             keep_active.where_greater(zero, active_slope, zero),
             keep_reactive.where_greater(zero, active_sum, zero),
             keep_reactive.where_greater(zero, reactive_slope, one)}};
  }

  // D_k <- D_k^-1, L_ik <- A_ik D_k, A_ij <- A_ij - L_ik A_kj, and the same for the right-hand side.
  template <bool Transpose>
  INLINE void eliminate_pivot(int64_t at, const int32_t*& target) {
    Block<Q>& own = factors.diagonal[at];
    const Q determinant = own.n[0] * own.n[3] - own.n[1] * own.n[2], none = Q::of(0);
    const Q inverse_determinant = Q::of(1) / determinant;
    sign = determinant.where_greater(none, sign, none.where_greater(determinant, none - sign, none));
    const Block<Q> inverse = {{own.n[3] * inverse_determinant, none - own.n[1] * inverse_determinant,
                               none - own.n[2] * inverse_determinant, own.n[0] * inverse_determinant}};
    own = inverse;
    Node& here = node[at];
    Q side0 = here.side[0], side1 = here.side[1];
    if (Transpose) {
      const Q scaled0 = inverse.n[0] * side0 + inverse.n[2] * side1;
      const Q scaled1 = inverse.n[1] * side0 + inverse.n[3] * side1;
      here.side[0] = side0 = scaled0;
      here.side[1] = side1 = scaled1;
    }
    const int64_t first = work.front_start[at], count = work.front_start[at + 1] - first;
    auto* const off = factors.off + first;
    const int32_t* const neighbour = work.neighbour + first;
    for (int64_t i = 0; i < count; ++i) {
      const Block<Q> lower = product(off[i].lower, inverse), upper = off[i].upper;
      off[i].lower = lower;
      Node& there = node[neighbour[i]];
      if (Transpose) {
        there.side[0] = there.side[0] - upper.n[0] * side0 - upper.n[2] * side1;
        there.side[1] = there.side[1] - upper.n[1] * side0 - upper.n[3] * side1;
      } else {
        there.side[0] = there.side[0] - lower.n[0] * side0 - lower.n[1] * side1;
        there.side[1] = there.side[1] - lower.n[2] * side0 - lower.n[3] * side1;
      }
      factors.diagonal[neighbour[i]].subtract(lower, upper);
    }
    for (int64_t i = 0; i < count; ++i) {
      const Block<Q> lower = off[i].lower, upper = off[i].upper;
      for (int64_t j = i + 1; j < count; ++j) {
        auto& blocks = factors.off[*target++];
        blocks.upper.subtract(lower, off[j].upper);
        blocks.lower.subtract(off[j].lower, upper);
      }
    }
  }

  // Back substitution; `Given` leaves it at that, else the step is taken in the lanes that run.
  template <Step S, bool Given, bool Transpose>
  __attribute__((noinline)) void backward(const Segment& segment) {
    const Q none = Q::of(0), half = Q::of(F(0.5));
    for (int64_t at = segment.last - 1; at >= segment.first; --at) {
      Node& here = node[at];
      Q side0 = here.side[0], side1 = here.side[1];
      here.side[0] = here.side[1] = none;
      for (int64_t off = work.front_start[at]; S != Step::pivoted && off < work.front_start[at + 1]; ++off) {
        const Q* const step = unknown[work.neighbour[off]].step;
        if (Transpose) {
          const Block<Q> lower = factors.off[off].lower;
          side0 = side0 - lower.n[0] * step[0] - lower.n[2] * step[1];
          side1 = side1 - lower.n[1] * step[0] - lower.n[3] * step[1];
        } else {
          const Block<Q> upper = S == Step::common ? widened<W>(common.off[off].upper) : factors.off[off].upper;
          side0 = side0 - upper.n[0] * step[0] - upper.n[1] * step[1];
          side1 = side1 - upper.n[2] * step[0] - upper.n[3] * step[1];
        }
      }
      Q step0 = side0, step1 = side1;
      if (S == Step::pivoted) {  // found already
        step0 = unknown[at].step[0], step1 = unknown[at].step[1];
      } else if (!Transpose) {
        const Block<Q> inverse = S == Step::common ? widened<W>(common.diagonal[at]) : factors.diagonal[at];
        step0 = inverse.n[0] * side0 + inverse.n[1] * side1;
        step1 = inverse.n[2] * side0 + inverse.n[3] * side1;
      }
      Unknown& own = unknown[at];
      if (Given) {
        own.step[0] = step0;
        own.step[1] = step1;
        continue;
      }
      own.step[0] = active.where_greater(half, step0, none);
      own.step[1] = active.where_greater(half, step1, none);
      broken = broken + none * own.step[0] + none * own.step[1];
      const Q size0 = magnitude(own.step[0]), size1 = magnitude(own.step[1]);
      largest_step = size0.where_greater(largest_step, size0, largest_step);
      largest_step = size1.where_greater(largest_step, size1, largest_step);
      if constexpr (keeps_origin) {
        own.Origin::angle = own.angle;
        own.Origin::logarithm = own.logarithm;
      }
      own.angle = own.angle - convert<T>(own.step[0]);
      own.logarithm = own.logarithm - convert<T>(own.step[1]);
      turn(at);
    }
  }
};
