// Sine and cosine of packs, to about one unit in the last place. Included after mathematics.h, inside its namespace.
//
//     x = n pi/2 + r, |r| <= pi/4;   sin r and cos r by polynomials;   n mod 4 says which of them, and with which sign
//
// pi/2 is subtracted in three parts, exact enough for |x| up to 1e5. Polynomials: fdlibm, k_sin.c and k_cos.c (Sun
// Microsystems, 1993); in single precision the same, cut short. Infinity and NaN become NaN.

template <class T, class V>
INLINE void sine_cosine_of(const V& angle, V& sine, V& cosine) {
  using I = typename Integers<T, V>::type;
  using Number = typename Format<T>::Integer;
  constexpr bool single = sizeof(T) == 4;
  constexpr int sign = single ? 31 : 63;
  const V shifted = angle * T(0.63661977236758134308) + Format<T>::shift;
  const V number = shifted - Format<T>::shift;
  V rest = angle - number * T(single ? 1.5703125 : 1.57079632673412561417e+00);
  rest = rest - number * T(single ? 4.837512969970703e-4 : 6.07710050630396597660e-11);
  rest = rest - number * T(single ? 7.549789948768648e-8 : 2.02226624879595063154e-21);
  const V square = rest * rest;
  V s, c;
  if constexpr (single) {
    s = V{} + T(2.75573137e-06);
    c = square * T(-2.75573192e-07) + T(2.48015873e-05);
  } else {
    s = square * T(1.58969099521155010221e-10) + T(-2.50507602534068634195e-08);
    s = s * square + T(2.75573137070700676789e-06);
    c = square * T(-1.13596475577881948265e-11) + T(2.08757232129817482790e-09);
    c = c * square + T(-2.75573143513906633035e-07);
    c = c * square + T(2.48015872894767294178e-05);
  }
  s = s * square + T(-1.98412698298579493134e-04);
  s = s * square + T(8.33333333332248946124e-03);
  s = s * square + T(-1.66666666666666324348e-01);
  s = s * square * rest + rest;
  c = c * square + T(-1.38888888888741095749e-03);
  c = c * square + T(4.16666666666666019037e-02);
  c = c * square * square + (T(1) - square * T(0.5));

  const I quadrant = bits_as<I>(shifted), one = I{} + Number{1}, two = I{} + Number{2};
  const I odd = I{} - (quadrant & one);
  const I exchanged = (bits_as<I>(s) ^ bits_as<I>(c)) & odd;
  sine = bits_as<V>(I(bits_as<I>(s) ^ exchanged ^ ((quadrant & two) << (sign - 1))));
  cosine = bits_as<V>(I(bits_as<I>(c) ^ exchanged ^ (((quadrant + one) & two) << (sign - 1))));
}

template <class T, int W>
INLINE void sine_cosine(const Pack<T, W>& angle, Pack<T, W>& sine, Pack<T, W>& cosine) {
  using V = typename Pack<T, W>::Vector;
  for (int n = 0; n < Pack<T, W>::vectors; ++n) sine_cosine_of<T, V>(angle.part[n], sine.part[n], cosine.part[n]);
}
template <class T>
INLINE void sine_cosine(const Pack<T, 1>& angle, Pack<T, 1>& sine, Pack<T, 1>& cosine) {
  sine_cosine_of<T, T>(angle.part, sine.part, cosine.part);
}
