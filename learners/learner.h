#ifndef RF_LEARNERS_LEARNER_H
#define RF_LEARNERS_LEARNER_H
// What learns. A learner is a fold: its state after a batch is a function of its state before, the examples and their
// order, and of nothing else: not of the clock, threads, the size of batches, or the machine.
#include "learners/collisions.h"
#include "learners/rate.h"
#include "learners/transform.h"
#include "proto/example.h"
#include "proto/prediction.h"
#include "proto/setting.h"
#include "proto/state.h"

struct rf_learner;

// How much one feature contributed to the score before link function (for explain).
struct rf_contribution {
    uint32_t field; // index into the examples' field names; RF_FIELD_VECTOR: a coordinate of the vector; RF_FIELD_UNKNOWN: the
                    // bias; RF_FIELD_CROSS and above: a cross
    uint64_t hash;  // of the feature; which coordinate, from 0
    double value;   // as the learner saw it (scaled)
    double weight;  // of output 0
    double amount;  // value * weight
};

// A weight: its row is a hash mod the rows of the table, or a coordinate of the vector; RF_ROW_BIAS: the bias.
#define RF_ROW_BIAS UINT64_MAX
typedef void rf_learner_visit(void *context, uint64_t row, uint32_t output, double weight);

// What a kind of learner must do. All calls come from the fold thread.
struct rf_learner_ops {
    const char *name;

    // Folds the examples [begin, end) in order. For each: with RF_PREDICT, writes its scores at the state of that moment;
    // then, with RF_LEARN, learns it. Fills predictions->score for the range; NaN where there is no RF_PREDICT.
    void (*fold)(struct rf_learner *self, const struct rf_examples *examples, size_t begin, size_t end,
                 struct rf_predictions *predictions);

    // The scores [outputs] of one example at the state of now. Changes nothing.
    void (*predict)(const struct rf_learner *self, const struct rf_examples *examples, size_t index, double *score_out);

    // The largest contributions to the score of output 0, and how many there are in all. NULL when the kind cannot.
    size_t (*explain)(const struct rf_learner *self, const struct rf_examples *examples, size_t index,
                      struct rf_contribution *list, size_t capacity);

    // Calls `visit` for each weight of each output that is not 0, in the order of the rows, as it is now: what lazy rows missed
    // is counted in, on a copy. NULL when the kind has no weights.
    void (*weights)(const struct rf_learner *self, rf_learner_visit *visit, void *context);

    // The prediction [outputs] of scores [outputs] before the link function, whose first one the contributions add up to. NULL
    // when the prediction is the score.
    void (*link)(const struct rf_learner *self, const double *score, double *prediction_out);

    // Lists the blocks that hold all of its memory. Called once, after creation.
    void (*state)(struct rf_learner *self, struct rf_state *state);

    // Called after its blocks were restored: RF_CORRUPT, in words, when they do not hold together, so that a fold over them
    // could leave its memory, never end, or give what is not finite. (A checksum tells damage, not intent: whoever can write
    // a snapshot can make one that verifies.) Blocks that it wrote itself always pass. NULL when nothing in them is trusted.
    enum rf_status (*check)(const struct rf_learner *self, struct rf_error *err);

    // Called after its blocks were restored and checked: whether there is something that an operator should know, a sentence
    // of at most `size` bytes. NULL when there never is.
    bool (*note)(const struct rf_learner *self, char *text_out, size_t size);

    void (*destroy)(struct rf_learner *self);
};

struct rf_learner { // embedded first in each kind
    const struct rf_learner_ops *ops;
    enum rf_task task;
    uint32_t outputs; // scores an example
    bool is_margin;   // binary: the score is a margin
    uint64_t rows;    // of a hashed table; 0: the kind has none
    // Counted by the kinds, told by metrics; not part of the state.
    uint64_t learned;
    uint64_t skipped_steps;                 // not learned: the score or the step was absurd, or the label not one of the task
    uint64_t bounded_steps;                 // gradients that were cut to the bound set
    uint64_t unscaled;                      // numbers of fields beyond the scaler's capacity, which gave no contribution
    uint64_t uncrossed;                     // crosses beyond the room for them, likewise
    uint64_t unencoded;                     // labels of categories beyond the encoder's capacity
    const struct rf_collisions *collisions; // how features share rows of the table; NULL: not known
};

void rf_learner_fold(struct rf_learner *self, const struct rf_examples *examples, size_t begin, size_t end,
                     struct rf_predictions *predictions);
void rf_learner_predict(const struct rf_learner *self, const struct rf_examples *examples, size_t index, double *score_out);
size_t rf_learner_explain(const struct rf_learner *self, const struct rf_examples *examples, size_t index,
                          struct rf_contribution *list, size_t capacity);
bool rf_learner_weights(const struct rf_learner *self, rf_learner_visit *visit, void *context); // false: it has none
void rf_learner_link(const struct rf_learner *self, const double *score, double *prediction_out);
void rf_learner_state(struct rf_learner *self, struct rf_state *state);
enum rf_status rf_learner_check(const struct rf_learner *self, struct rf_error *err) RF_MUST_USE;
bool rf_learner_note(const struct rf_learner *self, char *text_out, size_t size); // false: nothing is written
void rf_learner_destroy(struct rf_learner *self);

// What every learner is told beside its own settings.
struct rf_learner_context {
    uint32_t classes;                  // how many class names the settings give; 0: none
    const char *const *class_names;    // [classes], NULL when there are none; borrowed for the life of the learner
    size_t features_max;               // of one example
    const struct rf_text *field_names; // [field_count] declared fields, the first in every batch; borrowed likewise
    size_t field_count;
    size_t vector_size;             // of every example; 0: they have no vector
    const struct rf_cross *crosses; // [cross_count], borrowed for the life of the learner
    size_t cross_count;
    bool crosses_like_vowpal;  // the hashes of crosses are combined as Vowpal Wabbit does
    bool use_baseline_kernels; // do without instructions beyond the baseline of the architecture (the results are the same)
};

// The registry: one row a learner. `options` is the struct that the variant's settings describe.
struct rf_learner_kind {
    enum rf_status (*create)(const void *options, const struct rf_learner_context *context, struct rf_learner **learner_out,
                             struct rf_error *err);
};
extern const struct rf_variant rf_learner_variants[]; // `registration` is a struct rf_learner_kind

// The kinds.

// A linear model: score = bias + sum of weight * x over the features present. One record is learned in this order: the
// scaler learns its numbers, they are scaled again, the gradient is taken at the weights of that moment, one step.
//
// The weight of an example is its own times that of its label; an example of weight 0 is not learned. Weight 2 means: optimizers
// that step along the gradient take the gradient times 2; those that follow the flow of the loss move as if the example were
// learned twice by infinitely small steps; for passive-aggressive steps see optimizer_passive.h. The scaler counts every
// example learned once.
struct rf_linear_options {
    struct rf_variant_value loss;      // see learners/loss.h
    uint64_t classes;                  // of losses of several classes; 0: as many as the settings name
    struct rf_pairs class_weights;     // see learners/class_weight.h
    struct rf_variant_value optimizer; // see learners/optimizer.h
    struct rf_variant_value update;    // see learners/waiting.h
    double gradient_max;               // 0: none; bounds |gradient by the score|, before the weight; not a step along the flow
    int clip;                          // none, labels, labels_and_zero
    double l1, l2;                     // see learners/shrink.h; which optimizers know them: learners/combination.h
    bool regularise_bias;
    struct rf_transform_options transform; // see learners/transform.h
    double select_weight;                  // inputs of a smaller weight are left out of the score
    uint64_t select_after;
    uint64_t hash_bits;
    bool bias;
    double bias_rate; // 0: the bias moves as the weights do; else by plain gradient descent at this rate
    int precision;    // of the table of weights: single, double; sums are double in both
};
extern const struct rf_setting rf_linear_settings[];
enum rf_status rf_learner_linear_create(const void *options, const struct rf_learner_context *context,
                                        struct rf_learner **learner_out, struct rf_error *err) RF_MUST_USE;

// Bayes' rule over classes: P(class | example) in proportion to P(class) P(example | class), everything counted or averaged, in
// one pass; nothing has a rate. P(class) = (records of it + smoothing) / (records + smoothing * classes). A record of weight w
// counts as w records, also where w is a fraction; beyond 1e9 it is not learned, and of weight 0 it changes nothing.
//
//     gaussian          each number is normal, by itself, with a mean and variance of each class. Of records that lack it, it
//                       says nothing. A class starts with `smoothing` records at the mean and variance of the field in all
//                       classes together. A category is present in the share (records with it + smoothing) / (records of
//                       the class + 2 smoothing).
//     gaussian_shared   the numbers together are normal, with a mean of each class and one covariance (Fisher's linear
//                       discriminant). Fields are taken in the order they are met. A number that is absent is at the mean of
//                       its class. Each deviation is averaged over the records that had the field: element (i, j) of the
//                       covariance is (scatter + ridge) / sqrt((n_i + 1) (n_j + 1)), ridge on the diagonal only. Categories
//                       give nothing: give them as numbers.
//     gaussian_full     the same with a covariance of each class (quadratic discriminant).
//     multinomial       x of a feature means that it was counted x times: P(feature | class) = (count + smoothing) / (count of
//                       all + smoothing * rows), rows being those of the table that any feature has met. Values below 0
//                       count nothing, those above 1e6 as 1e6.
//     bernoulli         a feature is present when its value is not 0, in the share (records with it + smoothing) / (records of
//                       the class + 2 smoothing); all features met before say something by being absent, too, so a record
//                       costs the size of the table.
//
// A class that gaussian_shared or gaussian_full never met has its P(class) whatever the record is. Explained is class 1 against
// class 0, or of several classes the most probable against the next: contributions add up to the logarithm of their odds.
struct rf_bayes_options {
    int model;
    uint64_t classes; // 0: as many as the settings name, else 2
    double smoothing;
    double variance_floor;
    double ridge;
    uint64_t fields_max;
    uint64_t hash_bits;
    int compatible;
};
enum { RF_BAYES_GAUSSIAN, RF_BAYES_GAUSSIAN_SHARED, RF_BAYES_GAUSSIAN_FULL, RF_BAYES_MULTINOMIAL, RF_BAYES_BERNOULLI };
enum { RF_BAYES_OWN, RF_BAYES_RIVER };
extern const struct rf_setting rf_bayes_settings[];
enum rf_status rf_learner_bayes_create(const void *options, const struct rf_learner_context *context,
                                       struct rf_learner **learner_out, struct rf_error *err) RF_MUST_USE;

// A linear model of the vector that every example carries (its sparse features are not looked at). Learns each record as it
// comes, or the records of a mini-batch at once when it is full: their count is settings and records alone, never how records
// travel together, and those taken so far are state. A record that was taken counts as learned. In a mini-batch the weights of
// examples are relative to one another: it moves along the weighted mean of its gradients. An example of weight 0 is not
// learned. Mini-batches have OpenBLAS run one thread in the whole process.
struct rf_dense_options {
    struct rf_variant_value loss; // see learners/loss.h
    uint64_t classes;             // of softmax; 0: as many as the settings name
    struct rf_rate rate;          // moves by steps
    double momentum;
    double l2; // the bias is never shrunk
    struct rf_mini_batch_sizes {
        uint64_t size, growth, every, max; // see learners/mini_batch.h
    } batch;
    int scale; // none, standard
    bool bias;
    int precision; // single, double
};
extern const struct rf_setting rf_dense_settings[];
enum rf_status rf_learner_dense_create(const void *options, const struct rf_learner_context *context,
                                       struct rf_learner **learner_out, struct rf_error *err) RF_MUST_USE;

// Makes the learner a variant value describes. RF_INVALID, in words, for settings that do not go together.
enum rf_status rf_learner_create(const struct rf_variant_value *value, const struct rf_learner_context *context,
                                 struct rf_learner **learner_out, struct rf_error *err) RF_MUST_USE;

#endif
