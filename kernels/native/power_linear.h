// Solves with the Jacobian at given unknowns, and solves with pivoting. Included by power_flow.h.
//
// Every solution is checked by its backward error, as in voltherm_kernels/safeguard.py:
//
//     |r - J x|_i <= tolerance ((|J| |x| + |r|)_i + sqrt(eps) max over j of (|J| |x| + |r|)_j)      for every row i
//
// A lane that elimination in a fixed order could not solve so well is solved alone, by sparse LU with pivoting.

// Solves the system that a forward pass of Step::pivoted has assembled; the steps are NaN where it is singular. Returns
// the sign of its determinant.
template <class T>
int pivot(PowerSystem<T, T, 1, 1>& system, bool transpose) {
  const PowerWork& work = system.work;
  const int64_t most = 4 * (work.size + 2 * work.pairs);
  Arena measure{nullptr};
  const auto take = [&](Arena& arena, Entries<T>& entries, T*& side) {
    entries.value = arena.take<T>(most);
    entries.row = arena.take<int32_t>(most);
    entries.column = arena.take<int32_t>(most);
    side = arena.take<T>(2 * work.size);
  };
  Entries<T> entries{2 * work.size, 0, nullptr, nullptr, nullptr};
  T* side = nullptr;
  take(measure, entries, side);
  char* const memory = static_cast<char*>(std::malloc(measure.used));
  Arena arena{memory};
  take(arena, entries, side);
  const auto add = [&](int64_t row, int64_t column, const Block<Pack<T, 1>>& block) {
    for (int n = 0; n < 4; ++n) {
      const int64_t at = 2 * row + n / 2, across = 2 * column + n % 2;
      entries.row[entries.count] = static_cast<int32_t>(transpose ? across : at);
      entries.column[entries.count] = static_cast<int32_t>(transpose ? at : across);
      entries.value[entries.count++] = block.n[n].part;
    }
  };
  if (memory != nullptr) {
    for (int64_t at = 0; at < work.size; ++at) {
      for (int n = 0; n < 2; ++n) side[2 * at + n] = system.node[at].side[n].part;
      add(at, at, system.factors.diagonal[at]);
      for (int64_t number = work.pair_start[at]; number < work.pair_start[at + 1]; ++number) {
        const int64_t off = work.pair_number[number], other = work.neighbour[off];
        add(at, other, system.factors.off[off].upper);
        add(other, at, system.factors.off[off].lower);
      }
    }
  }
  const int sign = memory == nullptr ? 0 : solve_by_pivoting(entries, side);
  for (int64_t at = 0; at < work.size; ++at)
    for (int n = 0; n < 2; ++n) system.unknown[at].step[n].part = sign != 0 ? side[2 * at + n] : T(__builtin_nan(""));
  std::free(memory);
  return sign;
}

// One lane by itself, in memory of its own: for what its group could not do. Without memory, `memory` is null.
template <class T>
struct Alone {
  PowerNetwork<T, T, 1> network;
  PowerSystem<T, T, 1, 1> system;
  void* memory;

  Alone(const PowerWork& work, int64_t lane) : system(work) {
    Arena measure{nullptr};
    network.place(work, measure), system.place(measure);
    memory = std::aligned_alloc(64, measure.used + 64);
    if (memory == nullptr) return;
    Arena arena{static_cast<char*>(memory)};
    network.place(work, arena), system.place(arena);
    read_network<T, T, 1>(work, lane, 1, network);
    system.network = network;
    system.read_voltage_parts(lane, 1, false);
  }
  Alone(const Alone&) = delete;
  ~Alone() { std::free(memory); }
};

template <class T, int W, int N>
void read_side(PowerSystem<T, T, W, N>& system, int64_t lane, int64_t count) {
  const PowerWork& work = system.work;
  for (int n = 0; n < 2; ++n)
    each_row<T, W>(work, side, n * work.size, work.size, lane, count, [&](int64_t bus, const Pack<T, W>& given) {
      system.node[work.position[bus]].side[n] = given;
    });
}

// Whether `step` solves for the right-hand side that lies in the place of the unknowns: 0 or less where it does, more or
// NaN elsewhere.
template <bool Transpose, class T, int W, int N>
Pack<T, W> excess(PowerSystem<T, T, W, N>& system) {
  using P = Pack<T, W>;
  const P zero = P::of(0), tolerance = P::of(Format<T>::epsilon_two_thirds);
  const PowerWork& work = system.work;
  // the residual is formed in `side`; what it is measured against takes the place of the right-hand side
  for (int64_t at = 0; at < work.size; ++at) {
    auto& given = system.unknown[at];
    system.node[at].side[0] = given.angle;
    system.node[at].side[1] = given.logarithm;
    given.angle = absolute(given.angle);
    given.logarithm = absolute(given.logarithm);
  }
  const auto subtract = [&](const Block<P>& block, int64_t from, int64_t row) {
    const P* const step = system.unknown[from].step;
    const P product[4] = {block.n[0] * step[0], block.n[Transpose ? 2 : 1] * step[1],
                          block.n[Transpose ? 1 : 2] * step[0], block.n[3] * step[1]};
    P* const left = system.node[row].side;
    left[0] = left[0] - product[0] - product[1];
    left[1] = left[1] - product[2] - product[3];
    auto& sizes = system.unknown[row];
    sizes.angle = sizes.angle + absolute(product[0]) + absolute(product[1]);
    sizes.logarithm = sizes.logarithm + absolute(product[2]) + absolute(product[3]);
  };
  P largest = zero;
  for (int64_t at = 0; at < work.size; ++at) {
    auto& here = system.node[at];
    P active_sum = here.active, reactive_sum = here.reactive;
    here.active = here.reactive = zero;
    for (int64_t number = work.pair_start[at]; number < work.pair_start[at + 1]; ++number) {
      const int64_t other = work.neighbour[work.pair_number[number]];
      auto& there = system.node[other];
      const auto flow = flow_between(here, there, widened<W>(system.network.pair[number]));
      active_sum = active_sum + flow.active_here;
      reactive_sum = reactive_sum + flow.reactive_here;
      there.active = there.active + flow.active_there;
      there.reactive = there.reactive - flow.drawn_there;
      const auto free = [&](int64_t bus, int n) { return widened<W>(system.network.free[2 * bus + n]); };
      const Block<P> upper = coupling(flow.active_here, flow.reactive_here, free(at, 0), free(at, 1));
      const Block<P> lower = coupling(flow.active_there, zero - flow.drawn_there, free(other, 0), free(other, 1));
      subtract(Transpose ? lower : upper, other, at);
      subtract(Transpose ? upper : lower, at, other);
    }
    subtract(system.own_block(at, active_sum, reactive_sum, system.own_powers(at)), at, at);
    largest = larger(larger(system.unknown[at].angle, system.unknown[at].logarithm), largest);
  }
  const P floor = P::of(Format<T>::epsilon_root) * largest;
  P most = P::of(-1), broken = zero;
  for (int64_t at = 0; at < work.size; ++at)
    for (int n = 0; n < 2; ++n) {
      const P left = system.node[at].side[n];
      const P size = n == 0 ? system.unknown[at].angle : system.unknown[at].logarithm;
      most = larger(absolute(left) - tolerance * (size + floor), most);
      broken = broken + zero * left;
    }
  return most + broken;
}

// Fresh factors and the solution for `side`; `begin` puts a segment's buses in their place.
template <bool Transpose, class T, int W, int N, class Begin>
void solve_for_side(PowerSystem<T, T, W, N>& system, const Begin& begin) {
  const auto nothing = [](const Segment&) {};
  system.sweep(begin, [&](const Segment& segment) { system.clear(segment); },
               [&](const Segment& segment) { system.template forward<Step::fresh, true, Transpose>(segment); });
  system.sweep([&](const Segment& segment) { system.template backward<Step::fresh, true, Transpose>(segment); },
               nothing, nothing);
}

// A lane that elimination in a fixed order could not do, with pivoting; NaN where that does not do it either.
template <bool Transpose, class T>
__attribute__((noinline)) void solve_linear_alone(const PowerWork& work, int64_t lane, bool sound) {
  T* const to = static_cast<T*>(work.unknown) + lane * 2 * work.size;
  for (int64_t row = 0; row < 2 * work.size; ++row) to[row] = T(__builtin_nan(""));
  if (!sound) return;
  Alone<T> alone(work, lane);
  if (alone.memory == nullptr) return;
  auto& system = alone.system;
  system.read_start(lane, 1);
  read_side(system, lane, 1);
  system.sweep([&](const Segment& segment) { system.template begin<true>(segment); },
               [&](const Segment& segment) { system.clear(segment); },
               [&](const Segment& segment) { system.template forward<Step::pivoted, true, false>(segment); });
  pivot(system, Transpose);
  if (!(excess<Transpose>(system).part <= T(0))) return;
  for (int64_t bus = 0; bus < work.size; ++bus)
    for (int n = 0; n < 2; ++n) to[n * work.size + bus] = system.unknown[work.position[bus]].step[n].part;
}

// Solves for `side` in a group of lanes. What is asked for nothing gets zeros, whatever the Jacobian is.
template <bool Transpose, class T, int W, int N>
void solve_linear(const PowerWork& work, int64_t lane, int64_t count, const PowerNetwork<T, T, N>& network,
                  CommonStart<T>* common_start, Arena arena) {
  using P = Pack<T, W>;
  PowerSystem<T, T, W, N> system(work);
  system.network = network;
  system.common_start = common_start;
  system.place(arena);
  system.read_voltage_parts(lane, count, false);
  system.read_start(lane, count);
  read_side(system, lane, count);
  const P zero = P::of(0), one = P::of(1);
  P asked = zero, sound = zero;
  for (int64_t at = 0; at < work.size; ++at)
    for (int n = 0; n < 2; ++n) {
      const P given = system.node[at].side[n];
      asked = given.where_nan_else(absolute(given).where_greater(zero, one, asked), one);
      sound = sound + zero * given;
    }
  solve_for_side<Transpose>(system, [&](const Segment& segment) { system.template begin<true>(segment); });
  alignas(64) T wanted[W], left[W], right[W];
  asked.store(wanted);
  sound.store(right);
  excess<Transpose>(system).store(left);
  bool simple = true;
  for (int n = 0; n < count; ++n) simple = simple && wanted[n] != T(0);
  T* const to = static_cast<T*>(work.unknown) + lane * 2 * work.size;
  for (int n = 0; n < 2; ++n)
    write_rows<T, W>(to + n * work.size, 2 * work.size, work.size, count, [&](int64_t bus) {
      const P step = system.unknown[work.position[bus]].step[n];
      return simple ? step : asked.where_greater(zero, step, zero);
    });
  for (int n = 0; n < count; ++n)
    // what asks for NaN gets it, and is no case for pivoting
    if (wanted[n] != T(0) && !(left[n] <= T(0))) solve_linear_alone<Transpose, T>(work, lane + n, right[n] == T(0));
}
