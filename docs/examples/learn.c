// Learns from every example and predicts the next: cc learn.c $(pkg-config --cflags --libs riffle-learners)
#include <learners/compose.h>
#include <learners/learner.h>
#include <learners/options.h>
#include <stdio.h>

int main(void) {
    struct rf_variant_value settings;
    struct rf_learner *learner;
    struct rf_examples days;
    struct rf_error err;
    if (rf_options_create(rf_learner_variants, "linear", "loss=logistic, optimizer=sgd, optimizer.rate=0.5", &settings, &err) ||
        rf_learner_create(&settings, &(struct rf_learner_context){.features_max = 8}, &learner, &err) ||
        rf_examples_init(&days, 1000, 2000, 2, &err)) {
        fprintf(stderr, "learn: %s\n", err.text);
        return 1;
    }
    for (int day = 0; day < 1000; day++) { // ice cream sells on warm days, unless it rains
        int degrees = day * 7 % 30, rains = day % 4 == 0;
        if (rf_examples_begin(&days, degrees > 15 && !rains) || rf_examples_number(&days, "degrees", degrees) ||
            rf_examples_category(&days, "sky", rains ? "rain" : "sun")) {
            return 1;
        }
    }
    static double score[1000];
    struct rf_predictions predictions = {.examples = &days, .outputs = learner->outputs, .score = score};
    rf_learner_fold(learner, &days, 0, days.count, &predictions); // each is predicted, then learned
    for (int day = 984; day < 988; day++) {
        printf("day %d: ice cream sells with probability %.2f, and it %s\n", day, score[day],
               days.label[day] ? "did" : "did not");
    }
    rf_examples_finish(&days);
    rf_learner_destroy(learner);
    rf_options_destroy(&settings);
    return 0;
}
