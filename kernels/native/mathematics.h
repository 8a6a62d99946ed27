// Elementary functions of packs: the same source for every instruction set and both kinds of numbers.
// Included after pack.h, inside its namespace.
//
//     log x = k ln 2 + log(1 + f),  s = f / (2 + f):  log(1 + f) = f - (f²/2 - s (f²/2 + R(s²)))
//     exp x = 2^k exp(r),           r = x - k ln 2:   Taylor's series to the 13th power
//
// R is the minimax polynomial of FreeBSD's msun (Sun Microsystems, 1993). Zero, denormals, infinities and NaN go where
// libm sends them.

template <class T>
struct Format;

template <>
struct Format<double> {
  using Integer = uint64_t;
  static constexpr int mantissa = 52;
  static constexpr Integer one = 0x3ff0000000000000, root_half = 0x3fe6a09e667f3bcd, no_sign = 0x7fffffffffffffff;
  static constexpr double bias = 1023;
  static constexpr double shift = 6755399441055744.0;  // 1.5 2^52: adding it rounds to an integer, in the low bits
  static constexpr Integer shift_bits = 0x4338000000000000;
  static constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
  static constexpr double epsilon = 2.220446049250313e-16, epsilon_root = 1.4901161193847656e-08;
  static constexpr double epsilon_two_thirds = 3.666852862501036e-11;
  static constexpr double smallest = 2.2250738585072014e-308, lift = 18014398509481984.0, lift_power = 54;
  static constexpr double exp_overflow = 710, exp_underflow = -746;
};

template <>
struct Format<float> {
  using Integer = uint32_t;
  static constexpr int mantissa = 23;
  static constexpr Integer one = 0x3f800000, root_half = 0x3f3504f3, no_sign = 0x7fffffff;
  static constexpr float bias = 127;
  static constexpr float shift = 12582912.0f;  // 1.5 2^23
  static constexpr Integer shift_bits = 0x4b400000;
  static constexpr float ln2_high = 6.9313812256e-01f, ln2_low = 9.0580006145e-06f;
  static constexpr float epsilon = 1.1920929e-07f, epsilon_root = 3.4526698e-04f;
  static constexpr float epsilon_two_thirds = 2.4220323e-05f;
  static constexpr float smallest = 1.17549435e-38f, lift = 33554432.0f, lift_power = 25;
  static constexpr float exp_overflow = 89, exp_underflow = -104;
};

// Unsigned integers in the shape of a register V of numbers T.
template <class T, class V>
struct Integers {
  typedef typename Format<T>::Integer type __attribute__((vector_size(sizeof(V))));
};
template <class T>
struct Integers<T, T> {
  using type = typename Format<T>::Integer;
};

template <class To, class From>
INLINE To bits_as(const From& from) {
  static_assert(sizeof(To) == sizeof(From), "the same bits");
  To to;
  __builtin_memcpy(&to, &from, sizeof(To));
  return to;
}

// log x + added ln 2 of positive normal numbers, and of NaN, which stays NaN; of others it is nonsense.
template <class T, class V>
INLINE V log_normal(const V& x, const V& added = V{}) {
  using I = typename Integers<T, V>::type;
  using F = Format<T>;
  constexpr typename F::Integer mantissa = (typename F::Integer{1} << F::mantissa) - 1;
  // x = 2^k m with m from sqrt(1/2) to sqrt(2)
  const I offset = bits_as<I>(x) + (F::one - F::root_half);
  const V m = bits_as<V>(I((offset & mantissa) + F::root_half));
  const V k = bits_as<V>(I((offset >> F::mantissa) + F::shift_bits)) - (F::shift + F::bias) + added;
  const V f = m - T(1);
  const V s = f / (f + T(2)), z = s * s, w = z * z;
  const V even = w * (T(3.999999999940941908e-01) + w * (T(2.222219843214978396e-01) + w * T(1.531383769920937332e-01)));
  const V odd =
      z * (T(6.666666666666735130e-01) +
           w * (T(2.857142874366239149e-01) + w * (T(1.818357216161805012e-01) + w * T(1.479819860511658591e-01))));
  const V half = T(0.5) * f * f;
  const V value = k * F::ln2_high - ((half - (s * (half + (even + odd)) + k * F::ln2_low)) - f);
  return x == x ? value : x;
}

template <class T, class V>
INLINE V log_of(const V& x) {
  using F = Format<T>;
  const V none = V{}, infinity = none + T(__builtin_inf()), nan = none + T(__builtin_nan(""));
  const V lifted = x * F::lift;  // a denormal number becomes normal
  const V value = log_normal<T, V>(x < F::smallest ? lifted : x, x < F::smallest ? none - F::lift_power : none);
  const V below = x == none ? none - infinity : nan;
  return x > none ? (x < infinity ? value : x) : (x == x ? below : x);
}

template <class T, class V>
INLINE V exp_of(const V& x) {
  using I = typename Integers<T, V>::type;
  using F = Format<T>;
  const V highest = V{} + F::exp_overflow, lowest = V{} + F::exp_underflow;
  V inside = x > highest ? highest : x;
  inside = inside < lowest ? lowest : inside;
  const V k = (inside * T(1.4426950408889634) + F::shift) - F::shift;
  const V r = (inside - k * F::ln2_high) - k * F::ln2_low;
  // even and odd powers apart, so that neither waits for the other
  const V square = r * r;
  V even = V{} + T(1 / 479001600.0), odd = V{} + T(1 / 6227020800.0);
  constexpr double even_factorials[] = {3628800.0, 40320.0, 720.0, 24.0, 2.0};
  constexpr double odd_factorials[] = {39916800.0, 362880.0, 5040.0, 120.0, 6.0};
  for (const double factorial : even_factorials) even = even * square + T(1 / factorial);
  for (const double factorial : odd_factorials) odd = odd * square + T(1 / factorial);
  const V sum = (odd * square) * r + even * square + r;
  // in two steps, so that the largest and the denormal numbers are reached; shift + bias still counts in ones
  const V first = (k * T(0.5) + F::shift) - F::shift, second = k - first;
  const V one_power = bits_as<V>(I(bits_as<I>(V(first + (F::shift + F::bias))) << F::mantissa));
  const V other_power = bits_as<V>(I(bits_as<I>(V(second + (F::shift + F::bias))) << F::mantissa));
  const V value = (sum + T(1)) * one_power * other_power;
  return x == x ? value : x;
}

template <class T, class V>
INLINE V magnitude_of(const V& x) {
  using I = typename Integers<T, V>::type;
  return bits_as<V>(I(bits_as<I>(x) & Format<T>::no_sign));
}

// Square roots need the instruction: GCC has no operator for a whole register.
template <class T, class V>
INLINE V sqrt_of(const V& x) {
  V root;
  T numbers[sizeof(V) / sizeof(T)];
  __builtin_memcpy(numbers, &x, sizeof(V));
  for (T& number : numbers) number = static_cast<T>(sizeof(T) == 4 ? __builtin_sqrtf(number) : __builtin_sqrt(number));
  __builtin_memcpy(&root, numbers, sizeof(V));
  return root;
}
#if defined(__AVX512F__)
template <>
INLINE __m512d sqrt_of<double, __m512d>(const __m512d& x) { return _mm512_maskz_sqrt_pd(0xff, x); }
template <>
INLINE __m512 sqrt_of<float, __m512>(const __m512& x) { return _mm512_maskz_sqrt_ps(0xffff, x); }
#elif defined(__AVX2__)
template <>
INLINE __m256d sqrt_of<double, __m256d>(const __m256d& x) { return _mm256_sqrt_pd(x); }
template <>
INLINE __m256 sqrt_of<float, __m256>(const __m256& x) { return _mm256_sqrt_ps(x); }
#elif defined(__SSE2__)
template <>
INLINE __m128d sqrt_of<double, __m128d>(const __m128d& x) { return _mm_sqrt_pd(x); }
template <>
INLINE __m128 sqrt_of<float, __m128>(const __m128& x) { return _mm_sqrt_ps(x); }
#endif

// The same on packs, register by register.
#define EACH_REGISTER(name, function)                                                                        \
  template <class T, int W>                                                                                  \
  INLINE Pack<T, W> name(const Pack<T, W>& x) {                                                              \
    using P = Pack<T, W>;                                                                                    \
    P y;                                                                                                     \
    for (int n = 0; n < P::vectors; ++n) y.part[n] = function<T, typename P::Vector>(x.part[n]);             \
    return y;                                                                                                \
  }                                                                                                          \
  template <class T>                                                                                         \
  INLINE Pack<T, 1> name(const Pack<T, 1>& x) {                                                              \
    return {function<T, T>(x.part)};                                                                         \
  }

EACH_REGISTER(logarithm, log_of)
EACH_REGISTER(logarithm_of_normal, log_normal)
EACH_REGISTER(exponential, exp_of)
EACH_REGISTER(square_root, sqrt_of)
EACH_REGISTER(absolute, magnitude_of)
#undef EACH_REGISTER

template <class P>
INLINE P larger(const P& one, const P& other) {
  return one.where_greater(other, one, other);
}

template <class P>
INLINE P smaller(const P& one, const P& other) {
  return other.where_greater(one, one, other);
}

// Whether `one` is greater than `other` in any lane.
template <class T, class V>
INLINE bool any_lane_greater(const V& one, const V& other) {
  T ones[sizeof(V) / sizeof(T)], others[sizeof(V) / sizeof(T)];
  __builtin_memcpy(ones, &one, sizeof(V));
  __builtin_memcpy(others, &other, sizeof(V));
  bool any = false;
  for (unsigned n = 0; n < sizeof(V) / sizeof(T); ++n) any = any || ones[n] > others[n];
  return any;
}
#if defined(__AVX512F__)
template <>
INLINE bool any_lane_greater<double, __m512d>(const __m512d& one, const __m512d& other) {
  return _mm512_cmp_pd_mask(one, other, _CMP_GT_OQ) != 0;
}
template <>
INLINE bool any_lane_greater<float, __m512>(const __m512& one, const __m512& other) {
  return _mm512_cmp_ps_mask(one, other, _CMP_GT_OQ) != 0;
}
#elif defined(__AVX2__)
template <>
INLINE bool any_lane_greater<double, __m256d>(const __m256d& one, const __m256d& other) {
  return _mm256_movemask_pd(_mm256_cmp_pd(one, other, _CMP_GT_OQ)) != 0;
}
template <>
INLINE bool any_lane_greater<float, __m256>(const __m256& one, const __m256& other) {
  return _mm256_movemask_ps(_mm256_cmp_ps(one, other, _CMP_GT_OQ)) != 0;
}
#elif defined(__SSE2__)
template <>
INLINE bool any_lane_greater<double, __m128d>(const __m128d& one, const __m128d& other) {
  return _mm_movemask_pd(_mm_cmpgt_pd(one, other)) != 0;
}
template <>
INLINE bool any_lane_greater<float, __m128>(const __m128& one, const __m128& other) {
  return _mm_movemask_ps(_mm_cmpgt_ps(one, other)) != 0;
}
#endif

template <class T, int W>
INLINE bool any_greater(const Pack<T, W>& one, const Pack<T, W>& other) {
  bool any = false;
  for (int n = 0; n < Pack<T, W>::vectors; ++n)
    any |= any_lane_greater<T, typename Pack<T, W>::Vector>(one.part[n], other.part[n]);
  return any;
}
template <class T>
INLINE bool any_greater(const Pack<T, 1>& one, const Pack<T, 1>& other) {
  return one.part > other.part;
}
