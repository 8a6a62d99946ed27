// A pack: W numbers that are worked on together. Included by lanes.h, inside its namespace.
//
// VECTOR_BYTES is the width of the instruction set's registers; a pack is as many of them as W needs.

#define INLINE inline __attribute__((always_inline))

template <class T, int W>
struct Pack {
  typedef T Vector __attribute__((vector_size(VECTOR_BYTES)));
  static constexpr int vectors = W * static_cast<int>(sizeof(T)) / VECTOR_BYTES;
  static constexpr int each = W / vectors;
  Vector part[vectors];

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
  INLINE void store(T* to) const { *to = part; }
  INLINE Pack operator+(const Pack& other) const { return {part + other.part}; }
  INLINE Pack operator-(const Pack& other) const { return {part - other.part}; }
  INLINE Pack operator*(const Pack& other) const { return {part * other.part}; }
  INLINE Pack operator/(const Pack& other) const { return {part / other.part}; }
  INLINE Pack where_greater(const Pack& other, const Pack& yes, const Pack& no) const {
    return part > other.part ? yes : no;
  }
  INLINE Pack where_nan(const Pack& other) const { return part == part ? other : *this; }
};

template <class P>
INLINE P magnitude(const P& pack) {
  const P zero = P::of(0);
  return zero.where_greater(pack, zero - pack, pack);
}

// `count` numbers that lie `stride` apart; the rest of the pack is zero.
template <class T, int W>
INLINE Pack<T, W> load_some(const T* from, int64_t stride, int64_t count) {
  if (count == W && stride == 1) return Pack<T, W>::load(from);
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
