// One step of Adam (Kingma & Ba 2015, algorithm 1) on `count` numbers.
namespace {

// What no picture shows any more fades towards denormal numbers, which cost a hundred times as much: below these, 0.
constexpr float kSmallestFirst = 1e-30f, kSmallestSecond = 1e-36f;

inline Vec adam_change(Vec gradient, Vec& first, Vec& second, const AdamStep& by) {
  const Vec m = fma(Vec(by.one_minus_beta1), gradient - first, first);
  const Vec v = fma(Vec(by.one_minus_beta2) * gradient, gradient, Vec(by.beta2) * second);
  first = keep(ge(abs(m), Vec(kSmallestFirst)), m);
  second = keep(ge(v, Vec(kSmallestSecond)), v);
  const Vec root = second * reciprocal_sqrt(max(second, Vec(kSmallestSecond)));
  return Vec(by.rate) * first * reciprocal(fma(root, Vec(by.correction), Vec(by.epsilon)));
}

void adam(float* parameter, float* first, float* second, const float* gradient, int count, const AdamStep& by) {
  const AdamStep step = by;  // a copy that nothing aliases
  int i = 0;
  for (; i + Vec::N <= count; i += Vec::N) {
    Vec m = load(first + i), v = load(second + i);
    const Vec change = adam_change(load(gradient + i), m, v, step);
    store(parameter + i, load(parameter + i) - change);
    store(first + i, m);
    store(second + i, v);
  }
  if (i == count) return;
  Vec m = load_within(first, i, count), v = load_within(second, i, count);
  const Vec change = adam_change(load_within(gradient, i, count), m, v, step);
  store_within(parameter, i, count, load_within(parameter, i, count) - change);
  store_within(first, i, count, m);
  store_within(second, i, count, v);
}

}  // namespace
