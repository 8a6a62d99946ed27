// A pack: W numbers that are worked on together. Included by every kernel, inside its namespace.
//
// VECTOR_BYTES is the width of the instruction set's registers; a pack is as many of them as W needs, or a part of one.

#define INLINE inline __attribute__((always_inline))

template <class T, int W>
struct Pack {
  static constexpr int bytes = W * static_cast<int>(sizeof(T)) < VECTOR_BYTES ? W * static_cast<int>(sizeof(T)) : VECTOR_BYTES;
  typedef T Vector __attribute__((vector_size(bytes)));
  static constexpr int vectors = W * static_cast<int>(sizeof(T)) / bytes;
  static constexpr int each = W / vectors;
  Vector part[vectors];

  template <int... Numbers>
  static INLINE Vector list(const T* from, int64_t stride, std::integer_sequence<int, Numbers...>) {
    return Vector{from[Numbers * stride]...};
  }

  static INLINE Pack load(const T* from) {
    Pack pack;
    for (int n = 0; n < vectors; ++n) __builtin_memcpy(&pack.part[n], from + n * each, sizeof(Vector));
    return pack;
  }
  static INLINE Pack of(T number) {
    Pack pack;
    for (int n = 0; n < vectors; ++n) pack.part[n] = number - Vector{};
    return pack;
  }
  // Numbers that lie `stride` apart. As a list the compiler joins them in registers, not through memory.
  static INLINE Pack apart(const T* from, int64_t stride) {
    Pack pack;
    for (int n = 0; n < vectors; ++n)
      pack.part[n] = list(from + n * each * stride, stride, std::make_integer_sequence<int, each>());
    return pack;
  }
  INLINE void store(T* to) const {
    for (int n = 0; n < vectors; ++n) __builtin_memcpy(to + n * each, &part[n], sizeof(Vector));
  }
  INLINE Pack operator+(const Pack& other) const {
    Pack pack;
    for (int n = 0; n < vectors; ++n) pack.part[n] = part[n] + other.part[n];
    return pack;
  }
  INLINE Pack operator-(const Pack& other) const {
    Pack pack;
    for (int n = 0; n < vectors; ++n) pack.part[n] = part[n] - other.part[n];
    return pack;
  }
  INLINE Pack operator*(const Pack& other) const {
    Pack pack;
    for (int n = 0; n < vectors; ++n) pack.part[n] = part[n] * other.part[n];
    return pack;
  }
  INLINE Pack operator/(const Pack& other) const {
    Pack pack;
    for (int n = 0; n < vectors; ++n) pack.part[n] = part[n] / other.part[n];
    return pack;
  }
  // In every lane `yes` where this is greater than `other`, else `no`.
  INLINE Pack where_greater(const Pack& other, const Pack& yes, const Pack& no) const {
    Pack pack;
    for (int n = 0; n < vectors; ++n) pack.part[n] = part[n] > other.part[n] ? yes.part[n] : no.part[n];
    return pack;
  }
  // In every lane `number` where this is one, `other` where it is NaN.
  INLINE Pack where_nan_else(const Pack& number, const Pack& other) const {
    Pack pack;
    for (int n = 0; n < vectors; ++n) pack.part[n] = part[n] == part[n] ? number.part[n] : other.part[n];
    return pack;
  }
  // In every lane this where it is NaN, else `other`.
  INLINE Pack where_nan(const Pack& other) const {
    Pack pack;
    for (int n = 0; n < vectors; ++n) pack.part[n] = part[n] == part[n] ? other.part[n] : part[n];
    return pack;
  }
};

// A single number, with the same operations.
template <class T>
struct Pack<T, 1> {
  T part;

  static INLINE Pack load(const T* from) { return {*from}; }
  static INLINE Pack of(T number) { return {number}; }
  static INLINE Pack apart(const T* from, int64_t) { return {*from}; }
  INLINE void store(T* to) const { *to = part; }
  INLINE Pack operator+(const Pack& other) const { return {part + other.part}; }
  INLINE Pack operator-(const Pack& other) const { return {part - other.part}; }
  INLINE Pack operator*(const Pack& other) const { return {part * other.part}; }
  INLINE Pack operator/(const Pack& other) const { return {part / other.part}; }
  INLINE Pack where_greater(const Pack& other, const Pack& yes, const Pack& no) const {
    return part > other.part ? yes : no;
  }
  INLINE Pack where_nan_else(const Pack& number, const Pack& other) const { return part == part ? number : other; }
  INLINE Pack where_nan(const Pack& other) const { return part == part ? other : *this; }
};

template <class P>
INLINE P magnitude(const P& pack) {
  const P zero = P::of(0);
  return zero.where_greater(pack, zero - pack, pack);
}

// The same numbers in another precision.
template <class To, class From, int W>
INLINE Pack<To, W> convert(const Pack<From, W>& from) {
  if constexpr (std::is_same_v<To, From>) {
    return from;
  } else if constexpr (W == 1) {
    return {static_cast<To>(from.part)};
  } else {
    using Narrow = typename std::conditional<(sizeof(To) < sizeof(From)), Pack<From, W>, Pack<To, W>>::type;
    constexpr int each = Narrow::each;
    typedef From Read __attribute__((vector_size(each * sizeof(From))));
    typedef To Written __attribute__((vector_size(each * sizeof(To))));
    Pack<To, W> to;
    for (int n = 0; n < W / each; ++n) {
      Read read;
      __builtin_memcpy(&read, reinterpret_cast<const From*>(&from) + n * each, sizeof(Read));
      const Written written = __builtin_convertvector(read, Written);
      __builtin_memcpy(reinterpret_cast<To*>(&to) + n * each, &written, sizeof(Written));
    }
    return to;
  }
}

// `count` numbers that lie `stride` apart; the rest of the pack is zero.
template <class T, int W>
INLINE Pack<T, W> load_some(const T* from, int64_t stride, int64_t count) {
  if (count == W) return stride == 1 ? Pack<T, W>::load(from) : Pack<T, W>::apart(from, stride);
  alignas(64) T numbers[W] = {};
  for (int64_t lane = 0; lane < count; ++lane) numbers[lane] = from[lane * stride];
  return Pack<T, W>::load(numbers);
}

template <class T, int W>
INLINE void store_some(const Pack<T, W>& pack, T* to, int64_t stride, int64_t count) {
  if (count == W && stride == 1) return pack.store(to);
  alignas(64) T numbers[W];
  pack.store(numbers);
  for (int64_t lane = 0; lane < count; ++lane) to[lane * stride] = numbers[lane];
}
