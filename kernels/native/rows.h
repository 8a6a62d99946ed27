// Rows of numbers of lanes that lie one behind the other in memory, as packs of all lanes and back. After pack.h.

#if defined(__AVX512F__)
// In halves: numbers of two rows side by side, then of four, then of eight.
INLINE void transpose_eight(__m512d (&row)[8]) {
  const __m512i even[3] = {_mm512_setr_epi64(0, 8, 2, 10, 4, 12, 6, 14), _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13),
                           _mm512_setr_epi64(0, 1, 2, 3, 8, 9, 10, 11)};
  const __m512i odd[3] = {_mm512_setr_epi64(1, 9, 3, 11, 5, 13, 7, 15), _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15),
                          _mm512_setr_epi64(4, 5, 6, 7, 12, 13, 14, 15)};
  for (int stage = 0, apart = 1; stage < 3; ++stage, apart *= 2)
    for (int n = 0; n < 8; ++n) {
      if (n & apart) continue;
      const __m512d one = row[n], other = row[n + apart];
      row[n] = _mm512_permutex2var_pd(one, even[stage], other);
      row[n + apart] = _mm512_permutex2var_pd(one, odd[stage], other);
    }
}
#endif

// Number k of pack n becomes number n of pack k.
template <class T, int W>
INLINE void transpose(Pack<T, W> (&square)[W]) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, double> && W % 8 == 0) {
    Pack<T, W> turned[W];
    for (int down = 0; down < W / 8; ++down)
      for (int across = 0; across < W / 8; ++across) {
        __m512d row[8];
        for (int n = 0; n < 8; ++n) row[n] = square[8 * down + n].part[across];
        transpose_eight(row);
        for (int n = 0; n < 8; ++n) turned[8 * across + n].part[down] = row[n];
      }
    for (int n = 0; n < W; ++n) square[n] = turned[n];
    return;
  }
#endif
  alignas(64) T numbers[W][W];
  for (int n = 0; n < W; ++n) square[n].store(numbers[n]);
  for (int n = 0; n < W; ++n) square[n] = Pack<T, W>::apart(numbers[0] + n, W);
}

// Calls use(row, number of all lanes) in order; the lanes begin `stride` apart.
template <class T, int W, class Use>
INLINE void read_rows(const T* from, int64_t stride, int64_t rows, int64_t count, const Use& use) {
  int64_t row = 0;
  if (W > 1 && count == W)
    for (; row + W <= rows; row += W) {
      Pack<T, W> square[W];
      for (int n = 0; n < W; ++n) square[n] = Pack<T, W>::load(from + n * stride + row);
      transpose(square);
      for (int n = 0; n < W; ++n) use(row + n, square[n]);
    }
  for (; row < rows; ++row) use(row, load_some<T, W>(from + row, stride, count));
}

// Writes number(row), of all lanes, to rows of lanes that begin `stride` apart.
template <class T, int W, class Number>
INLINE void write_rows(T* to, int64_t stride, int64_t rows, int64_t count, const Number& number) {
  int64_t row = 0;
  if (W > 1 && count == W)
    for (; row + W <= rows; row += W) {
      Pack<T, W> square[W];
      for (int n = 0; n < W; ++n) square[n] = number(row + n);
      transpose(square);
      for (int n = 0; n < W; ++n) square[n].store(to + n * stride + row);
    }
  for (; row < rows; ++row) store_some<T, W>(number(row), to + row, stride, count);
}
