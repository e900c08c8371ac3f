#include "tests/learners/evaluation_fixture.h"

#include "proto/random.h"
#include "tests/test.h"

#include <math.h>
#include <string.h>

void scored_begin(struct scored_stream *stream, const struct rf_evaluation_options *options) {
    struct rf_error err;
    examples_create(&stream->examples, SCORED_MAX, 1);
    stream->predictions = (struct rf_predictions){.examples = &stream->examples,
                                                  .task = options->task,
                                                  .outputs = options->outputs,
                                                  .is_margin = options->is_margin,
                                                  .score = stream->score};
    assert_true(options->outputs <= SCORED_OUTPUTS_MAX);
    assert_int_equal(rf_evaluation_create(options, &stream->evaluation, &err), RF_OK);
}

void scored_add(struct scored_stream *stream, double label, double weight, const double *score) {
    size_t index = stream->examples.count, outputs = stream->predictions.outputs;
    append_example(&stream->examples, label, NULL, 0);
    stream->examples.weight[index] = weight;
    memcpy(stream->score + index * outputs, score, outputs * sizeof *score);
}

void scored_fold(struct scored_stream *stream) {
    rf_evaluation_fold(stream->evaluation, &stream->examples, 0, stream->examples.count, &stream->predictions);
}

void scored_end(struct scored_stream *stream) {
    rf_evaluation_destroy(stream->evaluation);
    rf_examples_finish(&stream->examples);
}

void scored_fill(struct scored_stream *stream, size_t count, uint64_t seed, bool ties, bool weighted) {
    const struct rf_predictions *predictions = &stream->predictions;
    uint32_t classes = predictions->task == RF_TASK_BINARY ? 2 : predictions->outputs;
    struct rf_random random;
    rf_random_init(&random, seed);
    for (size_t i = 0; i < count; i++) {
        double score[SCORED_OUTPUTS_MAX], sum = 0;
        double label = predictions->task == RF_TASK_REGRESSION ? 3 + rf_random_normal(&random)
                                                               : (double)rf_random_below(&random, classes);
        for (uint32_t k = 0; k < predictions->outputs; k++) {
            double tendency = rf_random_normal(&random) + (predictions->task == RF_TASK_MULTICLASS ? k == label : label);
            tendency = ties ? round(2 * tendency) / 2 : tendency;
            bool is_raw = predictions->task == RF_TASK_REGRESSION || predictions->is_margin;
            score[k] = is_raw ? tendency : predictions->task == RF_TASK_BINARY ? 1 / (1 + exp(-tendency)) : exp(tendency);
            sum += score[k];
        }
        for (uint32_t k = 0; predictions->task == RF_TASK_MULTICLASS && k < predictions->outputs; k++) {
            score[k] /= sum;
        }
        scored_add(stream, label, weighted ? 0.1 + rf_random_uniform(&random) : 1, score);
    }
}

// The slow way.

struct naive {
    const struct scored_stream *stream;
    size_t begin, end;
    uint32_t classes;
    double weight;
    bool is_multiclass;
};

static double weight_of(const struct naive *naive, size_t i) {
    return naive->stream->examples.weight[i];
}

static double label_of(const struct naive *naive, size_t i) {
    return naive->stream->examples.label[i];
}

// What the model (0), no change (1) and the majority or mean (2) say of an example.
static double said(const struct naive *naive, size_t i, int who) {
    const struct rf_predictions *predictions = &naive->stream->predictions;
    if (who == 0) {
        return naive->classes ? rf_prediction_class(predictions, i) : predictions->score[i];
    }
    if (who == 1) {
        return i > 0 ? label_of(naive, i - 1) : 0;
    }
    double seen[SCORED_OUTPUTS_MAX] = {0}, sum = 0, weight = 0;
    for (size_t j = 0; j < i; j++) {
        seen[naive->classes ? (size_t)label_of(naive, j) : 0] += weight_of(naive, j);
        sum += weight_of(naive, j) * label_of(naive, j);
        weight += weight_of(naive, j);
    }
    uint32_t best = 0;
    for (uint32_t k = 1; k < naive->classes; k++) {
        best = seen[k] > seen[best] ? k : best;
    }
    return naive->classes ? best : weight > 0 ? sum / weight : 0;
}

static void share_losses(const struct naive *naive, size_t i, double *log_loss_out, double *brier_out) {
    double share[SCORED_OUTPUTS_MAX], weight = naive->classes;
    for (uint32_t k = 0; k < naive->classes; k++) {
        share[k] = 1;
    }
    for (size_t j = 0; j < i; j++) {
        share[(size_t)label_of(naive, j)] += weight_of(naive, j);
        weight += weight_of(naive, j);
    }
    size_t label = (size_t)label_of(naive, i);
    *log_loss_out = -log(share[label] / weight);
    *brier_out = 0;
    for (uint32_t k = 0; k < naive->classes; k++) {
        *brier_out += pow(share[k] / weight - (k == label), 2) / (naive->is_multiclass ? 1 : 2);
    }
}

static void put(struct rf_figures *figures, enum rf_figure_name name, int who, double value, enum rf_baseline_name prior) {
    struct rf_figure *figure = &figures->list[name];
    if (who == 0) {
        figure->applies = true;
        figure->value = value;
    } else {
        figure->baseline[who == 1 ? RF_BASELINE_no_change : prior] = value;
    }
}

static void naive_values(const struct naive *naive, double quantile, struct rf_figures *figures) {
    double mean = 0, scatter = 0;
    for (size_t i = naive->begin; i < naive->end; i++) {
        mean += weight_of(naive, i) * label_of(naive, i) / naive->weight;
    }
    for (size_t i = naive->begin; i < naive->end; i++) {
        scatter += weight_of(naive, i) * pow(label_of(naive, i) - mean, 2);
    }
    for (int who = 0; who < 3; who++) {
        double absolute = 0, squared = 0, pinball = 0;
        for (size_t i = naive->begin; i < naive->end; i++) {
            double under = label_of(naive, i) - said(naive, i, who);
            absolute += weight_of(naive, i) * fabs(under);
            squared += weight_of(naive, i) * under * under;
            pinball += weight_of(naive, i) * fmax(quantile * under, (quantile - 1) * under);
        }
        put(figures, RF_FIGURE_mae, who, absolute / naive->weight, RF_BASELINE_mean);
        put(figures, RF_FIGURE_rmse, who, sqrt(squared / naive->weight), RF_BASELINE_mean);
        put(figures, RF_FIGURE_quantile_loss, who, pinball / naive->weight, RF_BASELINE_mean);
        put(figures, RF_FIGURE_r2, who, 1 - squared / scatter, RF_BASELINE_mean);
    }
}

typedef double matrix[SCORED_OUTPUTS_MAX][SCORED_OUTPUTS_MAX];

static void confusion_of(const struct naive *naive, int who, matrix counts) {
    memset(counts, 0, sizeof(matrix));
    for (size_t i = naive->begin; i < naive->end; i++) {
        counts[(size_t)label_of(naive, i)][(size_t)said(naive, i, who)] += weight_of(naive, i);
    }
}

// The correlation of two indicator matrices, from pairs of cells (Gorodkin, 2004, equation 8).
static double mcc_of(const struct naive *naive, matrix c) {
    double covariance = 0, rows = 0, columns = 0;
    uint32_t n = naive->classes;
    for (uint32_t k = 0; k < n; k++) {
        double row = 0, column = 0;
        for (uint32_t l = 0; l < n; l++) {
            row += c[k][l];
            column += c[l][k];
            for (uint32_t m = 0; m < n; m++) {
                covariance += c[k][k] * c[l][m] - c[k][l] * c[m][k];
            }
        }
        rows += row * (naive->weight - row);
        columns += column * (naive->weight - column);
    }
    return rows > 1e-9 && columns > 1e-9 ? covariance / sqrt(rows) / sqrt(columns) : 0;
}

static void naive_classes(const struct naive *naive, struct rf_figures *figures) {
    matrix c;
    double no_change = 0;
    confusion_of(naive, 1, c);
    for (uint32_t k = 0; k < naive->classes; k++) {
        no_change += c[k][k] / naive->weight;
    }
    for (int who = 0; who < 3; who++) {
        double hits = 0, chance = 0, recalls = 0, met = 0, precision = 0, recall = 0, f1 = 0, counted = 0;
        confusion_of(naive, who, c);
        for (uint32_t k = 0; k < naive->classes; k++) {
            double actual = 0, predicted = 0;
            for (uint32_t l = 0; l < naive->classes; l++) {
                actual += c[k][l];
                predicted += c[l][k];
            }
            hits += c[k][k];
            chance += actual / naive->weight * predicted / naive->weight;
            recalls += actual > 0 ? c[k][k] / actual : 0;
            met += actual > 0;
            if ((naive->is_multiclass || k == 1) && (actual > 0 || predicted > 0)) {
                precision += predicted > 0 ? c[k][k] / predicted : 0;
                recall += actual > 0 ? c[k][k] / actual : 0;
                f1 += c[k][k] > 0 ? 2 / (predicted / c[k][k] + actual / c[k][k]) : 0;
                counted++;
            }
        }
        double accuracy = hits / naive->weight;
        put(figures, RF_FIGURE_accuracy, who, accuracy, RF_BASELINE_majority);
        put(figures, RF_FIGURE_balanced_accuracy, who, recalls / met, RF_BASELINE_majority);
        put(figures, RF_FIGURE_precision, who, precision / fmax(counted, 1), RF_BASELINE_majority);
        put(figures, RF_FIGURE_recall, who, recall / fmax(counted, 1), RF_BASELINE_majority);
        put(figures, RF_FIGURE_f1, who, f1 / fmax(counted, 1), RF_BASELINE_majority);
        put(figures, RF_FIGURE_mcc, who, mcc_of(naive, c), RF_BASELINE_majority);
        put(figures, RF_FIGURE_kappa, who, (accuracy - chance) / (1 - chance), RF_BASELINE_majority);
        put(figures, RF_FIGURE_kappa_temporal, who, (accuracy - no_change) / (1 - no_change), RF_BASELINE_majority);
    }
}

static void naive_probabilities(const struct naive *naive, struct rf_figures *figures) {
    double sums[2][2] = {{0}};
    for (size_t i = naive->begin; i < naive->end; i++) {
        const double *score = naive->stream->score + i * naive->stream->predictions.outputs;
        size_t label = (size_t)label_of(naive, i);
        double log_loss, brier, own = 0;
        share_losses(naive, i, &log_loss, &brier);
        for (uint32_t k = 0; k < naive->classes; k++) {
            double p = naive->is_multiclass ? score[k] : k == 1 ? score[0] : 1 - score[0];
            own += pow(p - (k == label), 2) / (naive->is_multiclass ? 1 : 2);
            sums[0][0] -= k == label ? weight_of(naive, i) * log(p) : 0;
        }
        sums[1][0] += weight_of(naive, i) * own;
        sums[0][1] += weight_of(naive, i) * log_loss;
        sums[1][1] += weight_of(naive, i) * brier;
    }
    for (int who = 0; who < 2; who++) {
        put(figures, RF_FIGURE_log_loss, 2 * who, sums[0][who] / naive->weight, RF_BASELINE_majority);
        put(figures, RF_FIGURE_brier, 2 * who, sums[1][who] / naive->weight, RF_BASELINE_majority);
    }
}

static double rank_score(const struct naive *naive, size_t i) {
    const double *score = naive->stream->score + i * naive->stream->predictions.outputs;
    return naive->is_multiclass ? score[(size_t)said(naive, i, 0)] : score[0];
}

static void naive_ranking(const struct naive *naive, struct rf_figures *figures) {
    double right = 0, positives = 0, precisions = 0;
    for (size_t i = naive->begin; i < naive->end; i++) {
        double above = 0, positives_above = 0;
        for (size_t j = naive->begin; label_of(naive, i) == 1 && j < naive->end; j++) {
            double over = rank_score(naive, i) - rank_score(naive, j);
            right += label_of(naive, j) == 0 ? weight_of(naive, i) * weight_of(naive, j) *
                                                       (over > 0    ? 1
                                                        : over == 0 ? 0.5
                                                                    : 0)
                                             : 0;
            above += over <= 0 ? weight_of(naive, j) : 0;
            positives_above += over <= 0 && label_of(naive, j) == 1 ? weight_of(naive, j) : 0;
        }
        precisions += label_of(naive, i) == 1 ? weight_of(naive, i) * positives_above / above : 0;
        positives += label_of(naive, i) == 1 ? weight_of(naive, i) : 0;
    }
    put(figures, RF_FIGURE_auc, 0, right / positives / (naive->weight - positives), RF_BASELINE_majority);
    put(figures, RF_FIGURE_auc, 2, 0.5, RF_BASELINE_majority);
    put(figures, RF_FIGURE_average_precision, 0, precisions / positives, RF_BASELINE_majority);
    put(figures, RF_FIGURE_average_precision, 2, positives / naive->weight, RF_BASELINE_majority);
}

static void naive_calibration(const struct naive *naive, struct rf_figures *figures) {
    double distance[20] = {0}, error = 0;
    for (size_t i = naive->begin; i < naive->end; i++) {
        double below = 0;
        for (size_t j = naive->begin; j < naive->end; j++) {
            below += rank_score(naive, j) < rank_score(naive, i) ? weight_of(naive, j) : 0;
        }
        size_t bin = 0;
        while (bin < 19 && below >= naive->weight * (double)(bin + 1) / 20 - 1e-9) {
            bin++;
        }
        bool is_right = naive->is_multiclass ? said(naive, i, 0) == label_of(naive, i) : label_of(naive, i) == 1;
        distance[bin] += weight_of(naive, i) * (rank_score(naive, i) - is_right);
    }
    for (size_t bin = 0; bin < 20; bin++) {
        error += fabs(distance[bin]) / naive->weight;
    }
    put(figures, RF_FIGURE_calibration_error, 0, error, RF_BASELINE_majority);
}

void naive_figures(const struct scored_stream *stream, size_t begin, size_t end, double quantile,
                   struct rf_figures *figures_out) {
    const struct rf_predictions *predictions = &stream->predictions;
    struct naive naive = {.stream = stream, .begin = begin, .end = end, .is_multiclass = predictions->task == RF_TASK_MULTICLASS};
    naive.classes = predictions->task == RF_TASK_BINARY ? 2 : naive.is_multiclass ? predictions->outputs : 0;
    for (size_t i = begin; i < end; i++) {
        naive.weight += weight_of(&naive, i);
    }
    *figures_out = (struct rf_figures){.evaluated = end - begin, .weight = naive.weight};
    for (size_t i = 0; i < RF_FIGURE_COUNT; i++) {
        for (size_t k = 0; k < RF_BASELINE_COUNT; k++) {
            figures_out->list[i].baseline[k] = NAN;
        }
    }
    if (!naive.classes) {
        naive_values(&naive, quantile, figures_out);
        return;
    }
    naive_classes(&naive, figures_out);
    if (!naive.is_multiclass) {
        naive_ranking(&naive, figures_out);
    }
    if (!predictions->is_margin) {
        naive_probabilities(&naive, figures_out);
        naive_calibration(&naive, figures_out);
    }
}

static void assert_near(const char *what, const char *which, double actual, double expected, double tolerance) {
    bool is_near = isnan(expected) ? isnan(actual) : fabs(actual - expected) <= tolerance * fmax(1, fabs(expected));
    if (!is_near) {
        fail_msg("%s%s is %.17g, expected %.17g", what, which, actual, expected);
    }
}

void assert_same_figures(const struct rf_figures *actual, const struct rf_figures *expected, double tolerance) {
    assert_int_equal(actual->evaluated, expected->evaluated);
    assert_near("weight", "", actual->weight, expected->weight, tolerance);
    for (unsigned i = 0; i < RF_FIGURE_COUNT; i++) {
        const char *key = rf_figure_key((enum rf_figure_name)i);
        const struct rf_figure *one = &actual->list[i], *other = &expected->list[i];
        if (one->applies != other->applies) {
            fail_msg("%s applies to one alone", key);
        }
        assert_near(key, "", one->value, other->value, tolerance + one->error);
        for (unsigned k = 0; k < RF_BASELINE_COUNT; k++) {
            assert_near(key, rf_baseline_key((enum rf_baseline_name)k), one->baseline[k], other->baseline[k], tolerance);
        }
    }
}
