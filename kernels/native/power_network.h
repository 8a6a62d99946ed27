// The numbers of a network as the power flow needs them, and the memory they lie in. Included by power_flow.h.

// 2x2 block.
template <class P>
struct Block {
  P n[4];

  INLINE void add(const Block& other) {
    for (int at = 0; at < 4; ++at) n[at] = n[at] + other.n[at];
  }

  // this - left right
  INLINE void subtract(const Block& left, const Block& right) {
    n[0] = n[0] - left.n[0] * right.n[0] - left.n[1] * right.n[2];
    n[1] = n[1] - left.n[0] * right.n[1] - left.n[1] * right.n[3];
    n[2] = n[2] - left.n[2] * right.n[0] - left.n[3] * right.n[2];
    n[3] = n[3] - left.n[2] * right.n[1] - left.n[3] * right.n[3];
  }
};

template <class P>
INLINE Block<P> product(const Block<P>& left, const Block<P>& right) {
  return {{left.n[0] * right.n[0] + left.n[1] * right.n[2], left.n[0] * right.n[1] + left.n[1] * right.n[3],
           left.n[2] * right.n[0] + left.n[3] * right.n[2], left.n[2] * right.n[1] + left.n[3] * right.n[3]}};
}

// A number of one lane for all lanes, or of each.
template <int W, class T>
INLINE Pack<T, W> widened(const Pack<T, 1>& number) {
  return Pack<T, W>::of(number.part);
}
template <int W, class T, int V, class = typename std::enable_if<V != 1>::type>
INLINE Pack<T, W> widened(const Pack<T, V>& number) {
  return number;
}
template <int W, class T, int V>
INLINE Block<Pack<T, W>> widened(const Block<Pack<T, V>>& block) {
  return {{widened<W>(block.n[0]), widened<W>(block.n[1]), widened<W>(block.n[2]), widened<W>(block.n[3])}};
}

// Memory dealt out in order; with no memory it only measures.
struct Arena {
  char* first;
  int64_t used = 0;

  template <class X>
  X* take(int64_t count) {
    X* const found = first == nullptr ? nullptr : reinterpret_cast<X*>(first + used);
    used += (count * static_cast<int64_t>(sizeof(X)) + 63) / 64 * 64;
    return found;
  }
};

// Admittances of a network, of all lanes or of each, parallel branches added up. A row of a set point has none.
template <class T, class F, int W>
struct PowerNetwork {
  Block<Pack<T, W>>* pair;      // Re and Im of Y_kj, then of Y_jk
  Pack<T, W>* own;              // two of each bus: Re and Im of Y_kk with the shunt
  Pack<T, W>* free;             // two of each bus: 0 where an unknown is a set point, else 1
  Pack<F, W>* free_coupling;    // the same
  Pack<T, W>* floor;            // of each bus: a mismatch that is round-off

  void place(const PowerWork& work, Arena& arena) {
    pair = arena.take<Block<Pack<T, W>>>(work.pairs);
    own = arena.take<Pack<T, W>>(2 * work.size);
    free = arena.take<Pack<T, W>>(2 * work.size);
    free_coupling = arena.take<Pack<F, W>>(2 * work.size);
    floor = arena.take<Pack<T, W>>(work.size);
  }
};

// A mismatch is a sum of powers S_kj, which at 1 p.u. come to twice |Y_kk|: so many epsilons of that are round-off.
constexpr double mismatch_round_off = 16;

template <class T, int W>
INLINE Pack<T, W> operand(const PowerWork& work, int which, int64_t row, int64_t lane, int64_t count) {
  const Operand& from = work.operand[which];
  if (from.shared) return Pack<T, W>::of(static_cast<const T*>(from.data)[row]);
  return load_some<T, W>(static_cast<const T*>(from.data) + lane * from.rows + row, from.rows, count);
}

// Calls use(n, number `first + n` of all lanes) for n below `rows`.
template <class T, int W, class Use>
INLINE void each_row(const PowerWork& work, int which, int64_t first, int64_t rows, int64_t lane, int64_t count,
                     const Use& use) {
  const Operand& from = work.operand[which];
  const T* const data = static_cast<const T*>(from.data) + first;
  if (!from.shared) return read_rows<T, W>(data + lane * from.rows, from.rows, rows, count, use);
  for (int64_t row = 0; row < rows; ++row) use(row, Pack<T, W>::of(data[row]));
}

template <class T, class F, int W>
void read_network(const PowerWork& work, int64_t lane, int64_t count, const PowerNetwork<T, F, W>& network) {
  using P = Pack<T, W>;
  const P zero = P::of(0), one = P::of(1), half = P::of(T(0.5));
  for (int n = 0; n < 2; ++n) {
    const auto number = [&](int64_t bus) { return 2 * static_cast<int64_t>(work.position[bus]) + n; };
    each_row<T, W>(work, fixed, n * work.size, work.size, lane, count, [&](int64_t bus, const P& held) {
      const P free = held.where_greater(half, zero, one);
      network.free[number(bus)] = free;
      network.free_coupling[number(bus)] = convert<F>(free);
    });
    each_row<T, W>(work, shunt, n * work.size, work.size, lane, count,
                   [&](int64_t bus, const P& admittance) { network.own[number(bus)] = admittance; });
  }
  __builtin_memset(static_cast<void*>(network.pair), 0, work.pairs * sizeof(Block<P>));
  // from-from, from-to, to-from, to-to: real and imaginary part of each
  for (int n = 0; n < 8; ++n)
    each_row<T, W>(work, admittance + n, 0, work.branches, lane, count, [&](int64_t branch, const P& part) {
      const int64_t from = work.from_position[branch], to = work.to_position[branch];
      const bool couples = n / 2 == 1 || n / 2 == 2, leads = (n / 2 == 1) == (from < to);
      P& sum = couples ? network.pair[work.branch_pair[branch]].n[(leads ? 0 : 2) + n % 2]
                       : network.own[2 * (n / 2 == 0 ? from : to) + n % 2];
      sum = sum + part;
    });
  // a bus whose unknowns are both set points needs no powers, and none of them may spoil it
  for (int64_t at = 0; at < work.size; ++at) {
    const P any = network.free[2 * at] + network.free[2 * at + 1];
    for (int n = 0; n < 2; ++n) network.own[2 * at + n] = any.where_greater(half, network.own[2 * at + n], zero);
    const P admittance = absolute(network.own[2 * at]) + absolute(network.own[2 * at + 1]);
    network.floor[at] = admittance * P::of(T(mismatch_round_off) * Format<T>::epsilon);
    for (int64_t number = work.pair_start[at]; number < work.pair_start[at + 1]; ++number) {
      Block<P>& pair = network.pair[number];
      const int64_t other = work.neighbour[work.pair_number[number]];
      const P any_other = network.free[2 * other] + network.free[2 * other + 1];
      for (int n = 0; n < 2; ++n) {
        pair.n[n] = any.where_greater(half, pair.n[n], zero);
        pair.n[2 + n] = any_other.where_greater(half, pair.n[2 + n], zero);
      }
    }
  }
}

// Factors: U_kj = A_kj and L_jk side by side, and D_k^-1.
template <class F, int W>
struct PowerFactors {
  struct Mirrored {
    Block<Pack<F, W>> upper, lower;
  };
  Mirrored* off;
  Block<Pack<F, W>>* diagonal;

  void place(const PowerWork& work, Arena& arena) {
    off = arena.take<Mirrored>(work.fill);
    diagonal = arena.take<Block<Pack<F, W>>>(work.size);
  }
};

// Power from a bus into the branches to another, and from there.
template <class P>
struct Flow {
  P active_here, reactive_here, active_there, drawn_there;  // drawn: less the reactive power
};
template <class Node, class P>
INLINE Flow<P> flow_between(const Node& here, const Node& there, const Block<P>& y) {
  const P cosine = here.real * there.real + here.imaginary * there.imaginary;
  const P sine = here.imaginary * there.real - here.real * there.imaginary;
  return {y.n[0] * cosine + y.n[1] * sine, y.n[0] * sine - y.n[1] * cosine, y.n[2] * cosine - y.n[3] * sine,
          y.n[2] * sine + y.n[3] * cosine};
}

// A_kj of so much power from k towards j; a row of a set point is zero.
template <class Q>
INLINE Block<Q> coupling(const Q& active, const Q& reactive, const Q& free_active, const Q& free_reactive) {
  const Q none = Q::of(0);
  return {{free_active.where_greater(none, reactive, none), free_active.where_greater(none, active, none),
           free_reactive.where_greater(none, none - active, none), free_reactive.where_greater(none, reactive, none)}};
}
