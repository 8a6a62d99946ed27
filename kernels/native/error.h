// Backward error of a solution, of one unit of work. Included by lanes.h, inside its namespace.
//
//     error = max over rows i of |r - A x|_i / ((|A| |x| + |r|)_i + sqrt(eps) max over j of (|A| |x| + |r|)_j)
//
// Oettli and Prager (1964), Numer. Math. 6, 405, with a floor for rows that hardly count.

template <class T, int W, int B, bool Full, bool Shared>
INLINE void residuals(const Work& work, const Part& part, const Pack<T, W>* vector, Pack<T, W>* rests,
                      Pack<T, W>* sizes) {
  using P = Pack<T, W>;
  const int b = B ? B : static_cast<int>(work.block);
  const int32_t *rows = work.table[work.transpose ? 1 : 0], *columns = work.table[work.transpose ? 0 : 1];
  const Matrix<T, W, Full> values{static_cast<const T*>(work.operand[0]) + part.lane, work.lanes, part.count, Shared};
  const int down = work.transpose ? 1 : b, across = work.transpose ? b : 1;
  for (int64_t entry = 0; entry < work.entries; ++entry) {
    P *rest = rests + static_cast<int64_t>(rows[entry]) * b, *size = sizes + static_cast<int64_t>(rows[entry]) * b;
    const P* from = vector + static_cast<int64_t>(columns[entry]) * b;
    for (int row = 0; row < b; ++row)
      for (int n = 0; n < b; ++n) {
        const P term = values[entry * b * b + row * down + n * across] * from[n];
        rest[row] = rest[row] - term;
        size[row] = size[row] + magnitude(term);
      }
  }
}

template <class T, int W, int B>
void backward_error(const Work& work, int64_t unit, T* scratch) {
  using P = Pack<T, W>;
  const int b = B ? B : static_cast<int>(work.block);
  const Part part = part_of<W>(work, unit);
  auto* vector = reinterpret_cast<P*>(scratch);
  auto *rests = vector + work.size * b, *sizes = rests + work.size * b;
  gather<T, W>(work, part, b, static_cast<const T*>(work.operand[1]), nullptr, vector);
  gather<T, W>(work, part, b, static_cast<const T*>(work.operand[2]), nullptr, rests);
  for (int64_t n = 0; n < work.size * b; ++n) sizes[n] = magnitude(rests[n]);
  if (W > 1 && work.across == Across::sides) {
    residuals<T, W, B, true, true>(work, part, vector, rests, sizes);
  } else if (part.count == W) {
    residuals<T, W, B, true, false>(work, part, vector, rests, sizes);
  } else {
    residuals<T, W, B, false, false>(work, part, vector, rests, sizes);
  }
  const P zero = P::of(0), smallest = P::of(sizeof(T) == 4 ? T(1e-37) : T(1e-307));
  P largest = zero;
  for (int64_t n = 0; n < work.size * b; ++n) largest = sizes[n].where_greater(largest, sizes[n], largest);
  const P floor = largest * P::of(sizeof(T) == 4 ? T(3.4526698e-4) : T(1.4901161193847656e-8)) + smallest;
  P error = zero, broken = zero;
  for (int64_t n = 0; n < work.size * b; ++n) {
    const P ratio = magnitude(rests[n]) / (sizes[n] + floor);
    error = ratio.where_greater(error, ratio, error);
    broken = broken + ratio * zero;
  }
  T* to = static_cast<T*>(work.result) + part.lane * work.sides + part.side;
  store_some<T, W>(broken.where_nan(error), to, work.across == Across::sides ? 1 : work.sides, part.count);
}
