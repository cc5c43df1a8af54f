#include "bases_step.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace locutor {

void bases_step(Engine& engine, float* bases, const FactoredMoments& moments, const BasesGradient& g, float rate,
                int step, double beta, double epsilon, float* d_coefficients) {
  const int rows = g.n_rows;
  const std::ptrdiff_t m = g.n_moving;
  double column_square = 0.0;
  for (int k = 0; k < g.n_bases; k++) column_square += static_cast<double>(g.coefficients[k]) * g.coefficients[k];
  const double mean_column_square = column_square / g.n_bases;
  const auto fresh = static_cast<float>(1 - beta);

  std::vector<float> directions(static_cast<std::size_t>(rows * m));
  std::vector<double> squares(static_cast<std::size_t>(rows));
  const AdafactorRow by{fresh, static_cast<float>(mean_column_square),
                        static_cast<float>(1 / std::sqrt(1 - std::pow(beta, step))), static_cast<float>(epsilon)};
  engine.pool.for_each(rows, [&](int row) {
    squares[static_cast<std::size_t>(row)] =
        engine.kernels.adafactor_row(g.d_delta + static_cast<std::ptrdiff_t>(row) * g.n, g.scale[row], g.n_moving, by,
                                     moments.rows + row * m, directions.data() + row * m);
  });
  double row_square = 0.0;
  for (const double square : squares) row_square += square;
  const double mean_row_square = m ? row_square / static_cast<double>(rows * m) : 0.0;

  double mean_column = 0.0;
  for (int k = 0; k < g.n_bases; k++) {
    const double square = static_cast<double>(g.coefficients[k]) * g.coefficients[k] * mean_row_square;
    moments.columns[k] += fresh * (static_cast<float>(square) - moments.columns[k]);
    mean_column += static_cast<double>(moments.columns[k]) / g.n_bases;
  }
  std::vector<float> moves(static_cast<std::size_t>(g.n_bases));
  for (int k = 0; k < g.n_bases; k++) {
    const double share = moments.columns[k] / std::max(mean_column, static_cast<double>(std::numeric_limits<float>::min()));
    moves[static_cast<std::size_t>(k)] = share > 0 ? static_cast<float>(rate * g.coefficients[k] / std::sqrt(share)) : 0.0f;
  }

  std::vector<float> parts(static_cast<std::size_t>(g.n_bases * rows));
  engine.pool.for_each(g.n_bases * rows, [&](int item) {
    const int row = item % rows;
    parts[static_cast<std::size_t>(item)] =
        g.scale[row] * engine.kernels.field_dot_and_step(bases + item * m, g.d_delta + static_cast<std::ptrdiff_t>(row) * g.n,
                                                         directions.data() + row * m,
                                                         moves[static_cast<std::size_t>(item / rows)], g.n_moving);
  });
  for (int k = 0; k < g.n_bases; k++) {
    float total = 0.0f;
    for (int row = 0; row < rows; row++) total += parts[static_cast<std::size_t>(k * rows + row)];
    d_coefficients[k] = total;
  }
}

}  // namespace locutor
