// Terms of branch laws: pressure drop and slope from one evaluation of what both need. Included after mathematics.h,
// inside its namespace. The equations are those of voltherm/coolant/; terms.py says how a law becomes a sum of terms.
//
//     linear       a + b m
//     quadratic    s m √(m² + w²)
//     power        s r (r² + w²)^h,            r = i m
//     colebrook    w G m,  G = f Re,           1/√f = -2 log10(e/3.7 + 2.51 / (Re √f)) above Re 4000, 64 below 2000
//     epanet       w G m,                      1/√f = -2 log10(e/3.7 + 5.74 Re^-0.9), a cubic in Re down to 2000
//     check valve  s (r + ...) against the flow, r = i m
//     controlled   -min(max(set point, rise at least speed - loss), rise at full speed - loss)

// Numbers of one row for a group of lanes; `step` is 0 where all rows share them.
template <class T, int W>
struct Constant {
  const T* first;
  int64_t step;
  bool shared;

  INLINE Pack<T, W> operator[](int64_t row) const {
    return shared ? Pack<T, W>::of(first[row * step]) : Pack<T, W>::load(first + row * step);
  }
  INLINE bool vanishes(int64_t row) const { return shared && first[row * step] == 0; }
};

// A pressure drop, Pa, and its derivative with respect to the mass flow, Pa s/kg.
template <class P>
struct Drop {
  P value, slope;
};

// x (x² + w²)^h and its derivative.
template <class P>
INLINE Drop<P> signed_square(const P& x, const P& width_squared) {
  const P square = x * x, root = square_root(square + width_squared);
  return {x * root, root + square / root};
}

template <class P>
INLINE Drop<P> signed_power(const P& x, const P& width_squared, const P& half) {
  const P square = x * x, sum = square + width_squared;
  const P power = exponential(half * logarithm(sum));
  return {x * power, power + (half + half) * (power * (square / sum))};
}

constexpr double laminar_limit = 2000, turbulent_limit = 4000;
constexpr double log_factor = 0.8685889638065036553;  // 2 / ln 10

// Colebrook's inverse root x = 1/√f solves x + c log(e/3.7 + 2.51 x / Re) = 0. It starts from the last evaluation's, and
// one step of fourth order leaves an error below c u⁴ / 4 where the argument of the logarithm changes by the share u. Lanes
// repeat it until u is below 2.5e-4, which is round-off, in a first evaluation and below 1 % later: what is left then is
// far below the residual that a step of that size leaves, and vanishes with it.
template <class P>
INLINE Drop<P> colebrook_friction(const P& reynolds, const P& roughness, P* carried, bool first) {
  const P factor = P::of(log_factor), one = P::of(1), constant = P::of(2.51), near = P::of(first ? 2.5e-4 : 0.01);
  const P turbulent = larger(reynolds, P::of(laminar_limit));
  P root = *carried;
  if (first) {
    const P swamee_jain = roughness + P::of(5.74) * exponential(P::of(-0.9) * logarithm_of_normal(turbulent));
    root = P::of(0) - factor * logarithm_of_normal(swamee_jain);
  }
  P ratio, moving = one;
  for (int round = 0; round < 6; ++round) {
    const P argument = roughness * turbulent + constant * root;  // times Re
    const P inverse = one / (argument * turbulent);
    const P relative = constant * (turbulent * inverse);  // of the argument's change to the root's
    const P slope = factor * relative, correction = one / (one + slope);
    const P newton = (root + factor * logarithm_of_normal(argument * argument * inverse)) * correction;
    const P second = P::of(0.5) * slope * relative * correction;
    const P third = P::of(1.0 / 3.0) * slope * relative * relative * correction;
    const P change = newton * (one - newton * (second - newton * ((second + second) * second - third)));
    const P moved = relative * change;
    const P new_root = root - change, new_ratio = slope * (one + moved * (one + moved));
    root = round == 0 ? new_root : moving.where_greater(near, new_root, root);
    ratio = round == 0 ? new_ratio : moving.where_greater(near, new_ratio, ratio);
    moving = round == 0 ? absolute(moved) : moving.where_greater(near, absolute(moved), P::of(0));
    if (!any_greater(moving, near)) break;
  }
  *carried = root;
  const P inverse = one / (root * root * (one + ratio));
  const P value = turbulent * (one + ratio) * inverse, slope = (turbulent + turbulent) * inverse;  // d(G Re)/dRe

  const P zero = P::of(0), laminar = P::of(64);
  const P part = (reynolds - P::of(laminar_limit)) * P::of(1 / (turbulent_limit - laminar_limit));
  if (!any_greater(one, part)) return {value, slope};
  const P fraction = larger(zero, smaller(one, part));
  const P weight = fraction * fraction * (P::of(3) - (fraction + fraction));
  const P rise = P::of(6 / (turbulent_limit - laminar_limit)) * fraction * (one - fraction) * reynolds;
  const P blended = laminar + weight * (value - laminar);
  const P blended_slope = blended + rise * (value - laminar) + weight * (slope - value);
  return {one.where_greater(part, blended, value), one.where_greater(part, blended_slope, slope)};
}

// Swamee and Jain's formula needs Re^-0.9 = z⁹ with z = Re^-0.1. The last evaluation's z is corrected by the series of
// (1 - h)^-0.1, h = 1 - Re z¹⁰, where |h| is below 1/8; the error there is below h⁵ / 40. Other lanes begin anew.
template <class P>
INLINE Drop<P> epanet_friction(const P& reynolds, const P& roughness, const P& limit_friction, const P& limit_slope,
                               P* carried, bool first) {
  const P one = P::of(1), near = P::of(0.125);
  const P turbulent = larger(reynolds, P::of(turbulent_limit));
  P tenth = *carried;
  const P old_square = tenth * tenth, old_fourth = old_square * old_square, old_eighth = old_fourth * old_fourth;
  const P off = one - turbulent * (old_eighth * old_square);
  P series = P::of(0.0298375) * off + P::of(0.0385);
  series = series * off + P::of(0.055);
  series = series * off + P::of(0.1);
  tenth = tenth + tenth * (off * series);
  if (first || any_greater(absolute(off), near)) {
    const P anew = exponential(P::of(-0.1) * logarithm_of_normal(turbulent));
    tenth = first ? anew : absolute(off).where_greater(near, anew, tenth);
  }
  *carried = tenth;
  const P square = tenth * tenth, fourth = square * square;
  const P smooth = P::of(5.74) * (fourth * fourth * tenth);
  const P argument = roughness + smooth;
  const P root = P::of(-log_factor) * logarithm_of_normal(argument);
  const P inverse = one / (argument * root), inverse_root = argument * inverse;
  const P value = inverse_root * inverse_root * turbulent;
  const P slope = value * (P::of(2) - P::of(1.8 * log_factor) * (smooth * inverse));

  const P upper = P::of(turbulent_limit), lower = P::of(laminar_limit);
  if (!any_greater(upper, reynolds)) return {value, slope};
  const P constant = P::of(7) * limit_friction - limit_slope;
  const P first_order = P::of(0.128) - P::of(17) * limit_friction + P::of(2.5) * limit_slope;
  const P second_order = P::of(-0.128) + P::of(13) * limit_friction - (limit_slope + limit_slope);
  const P third_order = P::of(0.032) - P::of(3) * limit_friction + P::of(0.5) * limit_slope;
  const P ratio = reynolds * P::of(1 / laminar_limit);
  const P cubic = constant + ratio * (first_order + ratio * (second_order + ratio * third_order));
  const P cubic_rise = ratio * (first_order + ratio * (P::of(2) * second_order + ratio * (P::of(3) * third_order)));
  const P between = reynolds * cubic, between_slope = reynolds * (cubic + cubic + cubic_rise), laminar = P::of(64);
  const P below = reynolds.where_greater(lower, between, laminar);
  const P below_slope = reynolds.where_greater(lower, between_slope, laminar);
  return {upper.where_greater(reynolds, below, value), upper.where_greater(reynolds, below_slope, slope)};
}

// Backwards the slope rises within the width to that of the leakage.
template <class P>
INLINE Drop<P> check_valve_backwards(const P& ratio, const P& width) {
  const P zero = P::of(0), one = P::of(1), back = zero - ratio;
  const P inside = larger(zero, smaller(back, width)), share = inside / width;
  return {smaller(ratio + width, zero) - P::of(0.5) * inside * share, back.where_greater(width, one, share)};
}

// The larger (sign 1) or the smaller (sign -1) of two, rounded where they meet.
template <class P>
INLINE Drop<P> smooth_extreme(const Drop<P>& one, const Drop<P>& other, const P& width_squared, const P& sign) {
  const P apart = one.value - other.value;
  const P root = square_root(apart * apart + width_squared);
  const P half = P::of(0.5);
  return {half * (one.value + other.value + sign * root),
          half * (one.slope + other.slope + sign * (apart / root) * (one.slope - other.slope))};
}

// constants: set point, droop, width squared; constant, linear and power coefficient of the highest rise; of the lowest
template <class T, int W>
INLINE Drop<Pack<T, W>> held_pressure(const Constant<T, W>* constant, int64_t row, const Pack<T, W>& flow,
                                      const Drop<Pack<T, W>>& curve, const Drop<Pack<T, W>>& loss) {
  using P = Pack<T, W>;
  const P zero = P::of(0), width_squared = constant[2][row];
  const Drop<P> held{constant[0][row] - constant[1][row] * flow, zero - constant[1][row]};
  const auto rise = [&](int at) -> Drop<P> {
    return {constant[at][row] + constant[at + 1][row] * flow - constant[at + 2][row] * curve.value - loss.value,
            constant[at + 1][row] - constant[at + 2][row] * curve.slope - loss.slope};
  };
  const Drop<P> raised = smooth_extreme(held, rise(6), width_squared, P::of(1));
  const Drop<P> limited = smooth_extreme(raised, rise(3), width_squared, P::of(-1));
  return {zero - limited.value, zero - limited.slope};
}

// The pressure drop of one branch. `carried` are its friction factors of the last evaluation, if this is not the first.
template <class T, int W>
INLINE Drop<Pack<T, W>> evaluate(const int32_t* term, const int32_t* end, const Constant<T, W>* constants, int64_t row,
                                 const Pack<T, W>& flow, Pack<T, W>* carried, bool first) {
  using P = Pack<T, W>;
  const P zero = P::of(0);
  constexpr T curve_width = T(1e-4) * T(1e-4);  // of the run-out flow: pump_curve.py
  Drop<P> total{zero, zero}, loss{zero, zero};
  for (; term != end; term += 3) {
    const Constant<T, W>* constant = constants + term[2];
    Drop<P> drop;
    switch (term[0]) {
      case linear:
        drop = {constant[0][row] + constant[1][row] * flow, constant[1][row]};
        break;
      case quadratic: {
        if (constant[0].vanishes(row)) continue;
        const P scale = constant[0][row];
        drop = signed_square(flow, constant[1][row]);
        drop = {scale * drop.value, scale * drop.slope};
        break;
      }
      case power: {
        const P scale = constant[0][row], inverse = constant[1][row];
        drop = signed_power(inverse * flow, constant[2][row], constant[3][row]);
        drop = {scale * drop.value, scale * inverse * drop.slope};
        break;
      }
      case colebrook:
      case epanet: {
        const P scale = constant[0][row], reynolds = absolute(flow) * constant[1][row], roughness = constant[2][row];
        drop = term[0] == colebrook ? colebrook_friction(reynolds, roughness, carried, first)
                                    : epanet_friction(reynolds, roughness, constant[3][row], constant[4][row], carried, first);
        ++carried;
        drop = {scale * drop.value * flow, scale * drop.slope};
        break;
      }
      case check_valve: {
        const P scale = constant[0][row], inverse = constant[1][row];
        drop = check_valve_backwards(inverse * flow, constant[2][row]);
        drop = {scale * drop.value, scale * inverse * drop.slope};
        break;
      }
      default: {
        const P inverse = constant[9][row], relative = inverse * flow, width = P::of(curve_width);
        const Drop<P> curve = term[0] == controlled_pump ? signed_square(relative, width)
                                                         : signed_power(relative, width, constant[10][row]);
        drop = held_pressure(constant, row, flow, {curve.value, inverse * curve.slope}, loss);
        loss = {zero, zero};
        break;
      }
    }
    Drop<P>& sum = term[1] ? loss : total;
    sum = {sum.value + drop.value, sum.slope + drop.slope};
  }
  return total;
}
