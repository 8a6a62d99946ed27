// Elimination of blocks held as packs, one lane to a number. Included by the kernels, inside their namespace, after pack.h.
//
// Elimination of pivot k with front N(k), blocks as in schedule.py:
//
//     D_k <- D_k^-1;   for i in N(k): L_ik <- A_ik D_k;  for j in N(k): A_ij <- A_ij - L_ik A_kj;   U_kj <- D_k A_kj

// Inverse of a small block in place; `b` is the number of its rows.
template <class P>
INLINE void invert(P* block, int b) {
  const P one = P::of(1), zero = P::of(0);
  if (b == 1) {
    block[0] = one / block[0];
  } else if (b == 2) {
    const P a0 = block[0], a1 = block[1], a2 = block[2], a3 = block[3];
    const P determinant = a0 * a3 - a1 * a2;
    block[0] = a3 / determinant;
    block[1] = (zero - a1) / determinant;
    block[2] = (zero - a2) / determinant;
    block[3] = a0 / determinant;
  } else if (b == 3) {
    P cofactor[9];
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 3; ++column) {
        const P *next = block + (row + 1) % 3 * 3, *last = block + (row + 2) % 3 * 3;
        const int one_on = (column + 1) % 3, two_on = (column + 2) % 3;
        cofactor[row * 3 + column] = next[one_on] * last[two_on] - next[two_on] * last[one_on];
      }
    const P determinant = block[0] * cofactor[0] + block[1] * cofactor[1] + block[2] * cofactor[2];
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 3; ++column) block[column * 3 + row] = cofactor[row * 3 + column] / determinant;
  }
}

// Gauss-Jordan with row exchanges, each lane its own: for blocks of more than three rows. `right` starts as identity.
template <class P>
void invert_large(P* block, P* right, int b) {
  for (int n = 0; n < b * b; ++n) right[n] = P::of(n % (b + 1) == 0 ? 1 : 0);
  for (int column = 0; column < b; ++column) {
    P *current = block + column * b, *current_right = right + column * b;
    for (int row = column + 1; row < b; ++row) {
      P *other = block + row * b, *other_right = right + row * b;
      const P ours = magnitude(current[column]), theirs = magnitude(other[column]);
      for (int n = 0; n < b; ++n) {
        const P one = current[n], two = other[n], three = current_right[n], four = other_right[n];
        current[n] = theirs.where_greater(ours, two, one);
        other[n] = theirs.where_greater(ours, one, two);
        current_right[n] = theirs.where_greater(ours, four, three);
        other_right[n] = theirs.where_greater(ours, three, four);
      }
    }
    const P scale = P::of(1) / current[column];
    for (int n = 0; n < b; ++n) {
      current[n] = current[n] * scale;
      current_right[n] = current_right[n] * scale;
    }
    for (int row = 0; row < b; ++row) {
      if (row == column) continue;
      const P factor = block[row * b + column];
      for (int n = 0; n < b; ++n) {
        block[row * b + n] = block[row * b + n] - factor * current[n];
        right[row * b + n] = right[row * b + n] - factor * current_right[n];
      }
    }
  }
  for (int n = 0; n < b * b; ++n) block[n] = right[n];
}

// Factors a matrix in place: D of `size` pivots, then L and U of `fill` blocks each, then `spare`: two blocks.
// `target` holds the number of A_ij for every pair of every front, row by row. The result is NaN in the lanes with a
// pivot that has no finite inverse, else zero. B is the number of rows of a block, or 0 where only `b` says it.
template <class P, int B>
INLINE P eliminate(P* blocks, P* spare, int b, int64_t size, int64_t fill, const int32_t* front_start,
                   const int32_t* target) {
  const int bb = b * b;
  P broken = P::of(0);
  for (int64_t pivot = 0; pivot < size; ++pivot) {
    P* inverse = blocks + pivot * bb;
    if (b <= 3) {
      invert(inverse, b);
    } else {
      invert_large(inverse, spare, b);
    }
    for (int n = 0; n < bb; ++n) broken = broken + inverse[n] * P::of(0);
    const int64_t first = front_start[pivot], front = front_start[pivot + 1] - first;
    P *lower = blocks + (size + first) * bb, *upper = blocks + (size + fill + first) * bb;
    for (int64_t i = 0; i < front; ++i, lower += bb, target += front) {
      P scaled[B ? B * B : 1];
      P* const left = B ? scaled : spare;
      for (int row = 0; row < b; ++row)
        for (int column = 0; column < b; ++column) {
          P sum = lower[row * b] * inverse[column];
          for (int n = 1; n < b; ++n) sum = sum + lower[row * b + n] * inverse[n * b + column];
          left[row * b + column] = sum;
        }
      for (int n = 0; n < bb; ++n) lower[n] = left[n];
      for (int64_t j = 0; j < front; ++j) {
        P* to = blocks + static_cast<int64_t>(target[j]) * bb;
        const P* right = upper + j * bb;
        for (int row = 0; row < b; ++row)
          for (int column = 0; column < b; ++column) {
            P sum = to[row * b + column];
            for (int n = 0; n < b; ++n) sum = sum - left[row * b + n] * right[n * b + column];
            to[row * b + column] = sum;
          }
      }
    }
    for (int64_t j = 0; j < front; ++j, upper += bb) {
      P scaled[B ? B * B : 1];
      P* const right = B ? scaled : spare;
      for (int row = 0; row < b; ++row)
        for (int column = 0; column < b; ++column) {
          P sum = inverse[row * b] * upper[column];
          for (int n = 1; n < b; ++n) sum = sum + inverse[row * b + n] * upper[n * b + column];
          right[row * b + column] = sum;
        }
      for (int n = 0; n < bb; ++n) upper[n] = right[n];
    }
  }
  return broken;
}
