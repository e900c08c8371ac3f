#include "ops/config.h"

#include "ops/printer.h"
#include "proto/text.h"
#include "tests/ops/config_table.h"
#include "tests/test.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum rf_status read_with(const char *text, const char *const *sets, size_t set_count, struct model_options *options,
                                struct rf_error *err) {
    *options = (struct model_options){0};
    *err = (struct rf_error){0};
    return rf_config_read("fraud.yaml", rf_text_of(text), sets, set_count, model_settings, options, err);
}

static struct model_options read_ok(const char *text, const char *const *sets, size_t set_count) {
    struct model_options options;
    struct rf_error err;
    if (read_with(text, sets, set_count, &options, &err) != RF_OK) {
        fail_msg("%s", err.text);
    }
    return options;
}

static void refuse_bytes(const char *text, size_t size, const char *sentence) {
    struct model_options options = {0};
    struct rf_error err = {0};
    assert_int_equal(rf_config_read("fraud.yaml", (struct rf_text){text, size}, NULL, 0, model_settings, &options, &err),
                     RF_INVALID);
    assert_string_equal(err.text, sentence);
    static const struct model_options nothing;
    assert_memory_equal(&options, &nothing, sizeof options);
}

static void refuse(const char *text, const char *sentence) {
    refuse_bytes(text, strlen(text), sentence);
}

static void refuse_set(const char *set, const char *sentence) {
    struct model_options options;
    struct rf_error err;
    assert_int_equal(read_with("name: a\nsinks: [zeromq: {publish: x}]", &set, 1, &options, &err), RF_INVALID);
    assert_string_equal(err.text, sentence);
}

static const struct linear_options *linear_of(const struct model_options *options) {
    assert_string_equal(options->learner.kind->name, "linear");
    return options->learner.options;
}

// A text built of `count` times `piece`. The caller frees it.
static char *repeat(const char *before, const char *piece, size_t count, const char *after) {
    struct rf_printer printer = {0};
    rf_printer_add(&printer, before);
    for (size_t i = 0; i < count; i++) {
        rf_printer_add(&printer, piece);
    }
    rf_printer_add(&printer, after);
    return rf_printer_take(&printer);
}

static void refuse_repeated(const char *before, const char *piece, size_t count, const char *after, const char *sentence) {
    char *text = repeat(before, piece, count, after);
    refuse(text, sentence);
    free(text);
}

// What must work.

static void config_fills_defaults(void **state) {
    (void)state;
    struct model_options options = read_ok("name: fraud", NULL, 0);
    assert_string_equal(options.name, "fraud");
    assert_int_equal(options.seed, 1);
    assert_int_equal(options.kafka.count, 0);
    assert_null(options.features.label);
    assert_int_equal(options.features.numbers.count, 0);
    assert_false(options.features.is_strict);
    assert_int_equal(linear_of(&options)->hash_bits, 18);
    assert_string_equal(linear_of(&options)->optimizer.kind->name, "momentum");
    const struct momentum_options *momentum = linear_of(&options)->optimizer.options;
    assert_true(momentum->rate == 0.05 && momentum->momentum == 0.9);
    assert_int_equal(options.sinks.count, 0);
    assert_int_equal(options.log, 0);
    assert_int_equal(options.mode, -1);
    assert_string_equal(options.delimiter, ",");
    assert_null(options.scaler.kind);
    rf_config_finish(model_settings, &options);
    rf_config_finish(model_settings, &options);
    static const struct model_options nothing;
    assert_memory_equal(&options, &nothing, sizeof options);
}

static const char full[] =
        "# a model\n"
        "name: \"fraud\"\n"
        "seed: 18446744073709551615\n"
        "kafka:\n"
        "  bootstrap.servers: localhost:9092\n"
        "  group.id: no\n"
        "features: {label: fraud, numbers: [amount, 1], categories: ['null'], classes: [b, a], is_strict: true}\n"
        "learner: {type: linear, l2: 1e-6, optimizer: {type: momentum, rate: .5}}\n"
        "sinks:\n"
        "  - zeromq: {publish: tcp://127.0.0.1:5555}\n"
        "  - file\n"
        "  - file: {path: b, headers: {a.b: 1}}\n"
        "log: json\n"
        "mode: best\n"
        "ratio: -2.5e3\n"
        "scaler: bayes\n";

static void config_reads_every_type_of_row(void **state) {
    (void)state;
    struct model_options options = read_ok(full, NULL, 0);
    assert_true(options.seed == UINT64_MAX);
    assert_int_equal(options.kafka.count, 2);
    assert_string_equal(options.kafka.list[0].name, "bootstrap.servers");
    assert_string_equal(options.kafka.list[0].value, "localhost:9092");
    assert_int_equal(options.kafka.list[0].line, 5);
    assert_string_equal(options.kafka.list[1].value, "no");
    assert_int_equal(options.features.numbers.count, 2);
    assert_string_equal(options.features.numbers.list[1], "1");
    assert_string_equal(options.features.categories.list[0], "null");
    assert_true(options.features.is_strict);
    assert_true(linear_of(&options)->l2 == 1e-6);
    const struct momentum_options *momentum = linear_of(&options)->optimizer.options;
    assert_true(momentum->rate == 0.5 && momentum->momentum == 0.9);
    assert_int_equal(options.sinks.count, 3);
    assert_string_equal(((struct zeromq_options *)options.sinks.list[0].options)->publish, "tcp://127.0.0.1:5555");
    assert_string_equal(((struct file_options *)options.sinks.list[1].options)->path, "scores.jsonl");
    assert_string_equal(((struct file_options *)options.sinks.list[2].options)->headers.list[0].name, "a.b");
    assert_int_equal(options.log, 1);
    assert_int_equal(options.mode, 2);
    assert_true(options.ratio == -2500);
    assert_string_equal(options.scaler.kind->name, "bayes");
    rf_config_finish(model_settings, &options);
}

static void config_takes_a_name_without_value_as_not_written(void **state) {
    (void)state;
    struct model_options options = read_ok("name: a\nkafka:\nfeatures:\n  label: ~\nlearner:\nsinks: null\nseed:\n", NULL, 0);
    assert_int_equal(options.seed, 1);
    assert_null(options.features.label);
    assert_string_equal(options.learner.kind->name, "linear");
    rf_config_finish(model_settings, &options);
    refuse("name:", "fraud.yaml:1:6: name is missing: of the model");
}

static void config_takes_a_variant_without_type_as_the_default_kind(void **state) {
    (void)state;
    struct model_options options = read_ok("name: a\nlearner: {l2: 0.5}", NULL, 0);
    assert_true(linear_of(&options)->l2 == 0.5);
    rf_config_finish(model_settings, &options);
}

static void config_takes_a_word_where_a_number_may_be_left_open(void **state) {
    (void)state;
    static const char *const texts[] = {"name: a", "{name: a, pace: auto}", "{name: a, pace: \"auto\"}"};
    for (size_t i = 0; i < 3; i++) {
        struct model_options options = read_ok(texts[i], NULL, 0);
        assert_true(isnan(options.pace));
        rf_config_finish(model_settings, &options);
    }
    struct model_options options = read_ok("{name: a, pace: 0.25}", NULL, 0);
    assert_true(options.pace == 0.25);
    rf_config_finish(model_settings, &options);
    refuse("{name: a, pace: Auto}", "fraud.yaml:1:17: pace is \"Auto\", must be a number from 0 to 8, or auto");
    refuse("{name: a, pace: nan}", "fraud.yaml:1:17: pace is \"nan\", must be a number from 0 to 8, or auto");
    refuse("{name: a, ratio: auto}", "fraud.yaml:1:18: ratio is \"auto\", must be a number from -1e300 to 1e300");
}

static void config_sets_values_over_the_file(void **state) {
    (void)state;
    static const char *const sets[] = {
            "name=b",
            "kafka.bootstrap.servers=host:1",
            "kafka.sasl.password=a=b",
            "features.numbers=[x, y]",
            "learner.l2=0.1",
            "learner.l2=0.2",
            "learner.optimizer.rate=2",
            "sinks.0.zeromq.publish=inproc://b",
            "sinks.1.file.path=c",
            "sinks.2=file",
            "sinks.2.file.headers.x.y=z",
            "mode=fast",
            "mode=",
    };
    struct model_options options = read_ok("name: a\nlearner: linear\nsinks: [zeromq]\nkafka: {group.id: g}", sets, 13);
    assert_string_equal(options.name, "b");
    assert_int_equal(options.kafka.count, 3);
    assert_string_equal(options.kafka.list[1].value, "host:1");
    assert_int_equal(options.kafka.list[1].line, 0);
    assert_string_equal(options.kafka.list[2].name, "sasl.password");
    assert_string_equal(options.kafka.list[2].value, "a=b");
    assert_string_equal(options.features.numbers.list[1], "y");
    assert_true(linear_of(&options)->l2 == 0.2);
    assert_true(((struct momentum_options *)linear_of(&options)->optimizer.options)->rate == 2);
    assert_int_equal(options.sinks.count, 3);
    assert_string_equal(((struct zeromq_options *)options.sinks.list[0].options)->publish, "inproc://b");
    assert_string_equal(((struct file_options *)options.sinks.list[1].options)->path, "c");
    assert_string_equal(((struct file_options *)options.sinks.list[2].options)->headers.list[0].name, "x.y");
    assert_int_equal(options.mode, -1);
    rf_config_finish(model_settings, &options);
}

static void config_puts_the_environment_in_after_parsing(void **state) {
    (void)state;
    setenv("RF_TEST_VALUE", "a: {b, ${RF_TEST_VALUE}, null", 1);
    setenv("RF_TEST_EMPTY", "", 1);
    setenv("RF_TEST_NUMBER", "7", 1);
    struct model_options options = read_ok("name: x-${RF_TEST_VALUE}-$${A}-$B-$$\n"
                                           "seed: ${RF_TEST_NUMBER}${RF_TEST_NUMBER}\n"
                                           "kafka: {a: '${RF_TEST_EMPTY}', '${RF_TEST_VALUE}': b}\n",
                                           NULL, 0);
    assert_string_equal(options.name, "x-a: {b, ${RF_TEST_VALUE}, null-${A}-$B-$$");
    assert_int_equal(options.seed, 77);
    assert_string_equal(options.kafka.list[0].value, "");
    assert_string_equal(options.kafka.list[1].name, "${RF_TEST_VALUE}");
    rf_config_finish(model_settings, &options);

    unsetenv("RF_TEST_NONE");
    refuse("name: a\nkafka:\n  x: ${RF_TEST_NONE}", "fraud.yaml:3:6: the environment variable RF_TEST_NONE is not set");
    refuse("name: ${", "fraud.yaml:1:7: a ${ stands here without its }; a plain ${ is written $${");
    refuse("name: ${A-B}",
           "fraud.yaml:1:7: \"A-B\" stands between ${ and }, must be the name of an environment variable or file:path");
    refuse("name: ${}", "fraud.yaml:1:7: \"\" stands between ${ and }, must be the name of an environment variable or file:path");
    setenv("RF_TEST_VALUE", "a\nb", 1);
    refuse("name: ${RF_TEST_VALUE}",
           "fraud.yaml:1:7: the environment variable RF_TEST_VALUE holds more than one line, must hold one");
    setenv("RF_TEST_VALUE", "a\xff", 1);
    refuse("name: ${RF_TEST_VALUE}",
           "fraud.yaml:1:7: the environment variable RF_TEST_VALUE holds bytes that are not text, must be UTF-8");
}

static void write_file(const char *path, const char *text, size_t size) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

// Calls `refuse` with the path in place of each %s.
static void refuse_file(const char *path, const char *content, size_t size, const char *end) {
    char text[256];
    char sentence[512];
    write_file(path, content, size);
    snprintf(text, sizeof text, "name: ${file:%s}", path);
    snprintf(sentence, sizeof sentence, "fraud.yaml:1:7: %s", end);
    refuse(text, sentence);
}

static void config_puts_the_line_of_a_file_in(void **state) {
    (void)state;
    char path[] = "/tmp/riffle-test-XXXXXX";
    close(mkstemp(path));
    char text[256];
    snprintf(text, sizeof text, "name: <${file:%s}>", path);
    static const char *const contents[] = {"secret\n", "secret\r\n", "secret"};
    for (size_t i = 0; i < 3; i++) {
        write_file(path, contents[i], strlen(contents[i]));
        struct model_options options = read_ok(text, NULL, 0);
        assert_string_equal(options.name, "<secret>");
        rf_config_finish(model_settings, &options);
    }
    char sentence[256];
    snprintf(sentence, sizeof sentence, "%s holds more than one line, must hold one", path);
    refuse_file(path, "a\nb\n", 4, sentence);
    refuse_file(path, "a\n\n", 3, sentence);
    snprintf(sentence, sizeof sentence, "%s holds bytes that are not text, must be UTF-8", path);
    refuse_file(path, "a\0b", 3, sentence);
    refuse_file(path, "a\xc3", 2, sentence);
    char *large = repeat("", "0123456789abcdef", 4097, "");
    refuse_file(path, large, strlen(large), "what ${...} puts in here is longer than 65536 bytes");
    free(large);
    unlink(path);
    refuse("name: ${file:/nowhere/at/all}", "fraud.yaml:1:7: cannot read /nowhere/at/all: No such file or directory");
    refuse("name: ${file:/tmp}", "fraud.yaml:1:7: cannot read /tmp: Is a directory");
    refuse("name: ${file:}",
           "fraud.yaml:1:7: \"file:\" stands between ${ and }, must be the name of an environment variable or file:path");
}

// What must be refused.

static void config_names_the_nearest_known_setting(void **state) {
    (void)state;
    refuse("name: a\nlerner: linear", "fraud.yaml:2:1: unknown setting \"lerner\", did you mean \"learner\"?");
    refuse("name: a\nfeatures:\n  lable: x",
           "fraud.yaml:3:3: unknown setting \"features.lable\", did you mean \"features.label\"?");
    refuse("name: a\nlearner: {type: linear, hash-bits: 3}",
           "fraud.yaml:2:25: unknown setting \"learner.hash-bits\", did you mean \"learner.hash_bits\"?");
    refuse("name: a\nlearner: {tpye: linear}",
           "fraud.yaml:2:11: unknown setting \"learner.tpye\", did you mean \"learner.type\"?");
    refuse("name: a\nsinks:\n - zeromq: {pub: x}",
           "fraud.yaml:3:13: unknown setting \"sinks.0.zeromq.pub\", did you mean \"sinks.0.zeromq.publish\"?");
    refuse("name: a\nlearner: {type: bayes, l2: 1}", "fraud.yaml:2:24: unknown setting \"learner.l2\", there are none here");
    refuse("name: a\n\"a\\x1b[2J\": 1", "fraud.yaml:2:1: unknown setting \"a\\u001b[2J\", must be name, seed, kafka, features, "
                                        "learner, sinks, log, mode, delimiter, ratio, pace or scaler");
    refuse("type: a", "fraud.yaml:1:1: unknown setting \"type\", must be name, seed, kafka, features, learner, sinks, log, mode, "
                      "delimiter, ratio, pace or scaler");
}

static void config_says_what_a_value_must_be(void **state) {
    (void)state;
    refuse("name: a\nlearner: {l2: much}", "fraud.yaml:2:15: learner.l2 is \"much\", must be a number from 0 to 1");
    refuse("name: a\nlearner: {l2: 1.5}", "fraud.yaml:2:15: learner.l2 is \"1.5\", must be a number from 0 to 1");
    refuse("name: a\nlearner: {l2: nan}", "fraud.yaml:2:15: learner.l2 is \"nan\", must be a number from 0 to 1");
    refuse("name: a\nlearner: {l2: 0x1}", "fraud.yaml:2:15: learner.l2 is \"0x1\", must be a number from 0 to 1");
    refuse("name: a\nlearner: {l2: 1e}", "fraud.yaml:2:15: learner.l2 is \"1e\", must be a number from 0 to 1");
    refuse("name: a\nlearner: {l2: [1]}", "fraud.yaml:2:15: learner.l2 is a list, must be a number from 0 to 1");
    refuse("name: a\nratio: 1e400", "fraud.yaml:2:8: ratio is \"1e400\", must be a number from -1e300 to 1e300");
    refuse("name: a\nlearner: {hash_bits: 99}",
           "fraud.yaml:2:22: learner.hash_bits is \"99\", must be a whole number from 1 to 28");
    refuse("name: a\nlearner: {hash_bits: 1_0}",
           "fraud.yaml:2:22: learner.hash_bits is \"1_0\", must be a whole number from 1 to 28");
    refuse("name: a\nlearner: {hash_bits: 010}",
           "fraud.yaml:2:22: learner.hash_bits is \"010\", must be a whole number from 1 to 28");
    refuse("name: a\nseed: 18446744073709551616", "fraud.yaml:2:7: seed is \"18446744073709551616\", must be a whole number");
    refuse("name: a\nseed: -1", "fraud.yaml:2:7: seed is \"-1\", must be a whole number");
    refuse("name: a\nseed: 1e3", "fraud.yaml:2:7: seed is \"1e3\", must be a whole number");
    refuse("name: a\nlog: jsno", "fraud.yaml:2:6: log is \"jsno\", must be logfmt or json");
    refuse("name: a\nmode: {}", "fraud.yaml:2:7: mode is a map, must be slow, fast or best");
    refuse("name: [a]", "fraud.yaml:1:7: name is a list, must be a text");
    refuse("name: a\nfeatures: {numbers: amount}",
           "fraud.yaml:2:21: features.numbers is \"amount\", must be a list of texts, as in [a, b]");
    refuse("name: a\nfeatures: {numbers: [a, ]}\nkafka: [a]",
           "fraud.yaml:3:8: kafka is a list, must be settings, as in {name: value}");
    refuse("name: a\nfeatures: {numbers: [a, ~]}", "fraud.yaml:2:25: features.numbers.1 is empty, must be a text");
    refuse("name: a\nfeatures: {numbers: [[a]]}", "fraud.yaml:2:22: features.numbers.0 is a list, must be a text");
    refuse("name: a\nfeatures: all", "fraud.yaml:2:11: features is \"all\", must be settings, as in {name: value}");
    refuse("name: a\nkafka: {sasl: {password: x}}", "fraud.yaml:2:15: kafka.sasl is a map, must be a text");
    refuse("name: a\nkafka: {group.id: }", "fraud.yaml:2:19: kafka.group.id is empty, must be a text");
    refuse_repeated("name: a\nseed: ", "x", 200, "",
                    "fraud.yaml:2:7: seed is "
                    "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\", "
                    "must be a whole number");
}

static void config_takes_only_true_and_false_for_booleans(void **state) {
    (void)state;
    static const char *const words[] = {"yes", "no", "on", "off", "True", "1", "y"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char text[100];
        char sentence[200];
        snprintf(text, sizeof text, "name: a\nfeatures: {is_strict: %s}", words[i]);
        snprintf(sentence, sizeof sentence, "fraud.yaml:2:23: features.is_strict is \"%s\", must be true or false", words[i]);
        refuse(text, sentence);
    }
}

static void config_refuses_kinds_that_are_not_there(void **state) {
    (void)state;
    refuse("name: a\nlearner: linaer",
           "fraud.yaml:2:10: learner is \"linaer\", must be linear or bayes, did you mean \"linear\"?");
    refuse("name: a\nlearner: {type: forest}", "fraud.yaml:2:17: learner is \"forest\", must be linear or bayes");
    refuse("name: a\nlearner: {type: ~}", "fraud.yaml:2:17: learner.type is empty, must be linear or bayes");
    refuse("name: a\nlearner: {type: [a]}", "fraud.yaml:2:17: learner.type is a list, must be linear or bayes");
    refuse("name: a\nscaler: {l2: 0}", "fraud.yaml:2:9: scaler.type is missing, must be linear or bayes");
    refuse("name: a\nlearner: [linear]", "fraud.yaml:2:10: learner is a list, must be linear or bayes, or a map with type");
    refuse("name: a\nsinks: zeromq", "fraud.yaml:2:8: sinks is \"zeromq\", must be a list, as in [zeromq: {...}]");
    refuse("name: a\nsinks: [zeromq]", "fraud.yaml:2:9: sinks.0.zeromq.publish is missing: endpoint to bind");
    refuse("name: a\nsinks:\n- zeromq: {}", "fraud.yaml:3:3: sinks.0.zeromq.publish is missing: endpoint to bind");
    refuse("name: a\nsinks: [flie]", "fraud.yaml:2:9: sinks.0 is \"flie\", must be zeromq or file, did you mean \"file\"?");
    refuse("name: a\nsinks: [{flie: {}}]",
           "fraud.yaml:2:10: sinks.0 is \"flie\", must be zeromq or file, did you mean \"file\"?");
    refuse("name: a\nsinks: [[file]]", "fraud.yaml:2:9: sinks.0 is a list, must be zeromq or file");
    refuse("name: a\nsinks: [{}]", "fraud.yaml:2:9: sinks.0 is empty, must be zeromq or file");
    refuse("name: a\nsinks: [~]", "fraud.yaml:2:9: sinks.0 is empty, must be zeromq or file");
    refuse("name: a\nsinks:\n- zeromq:\n  publish: x",
           "fraud.yaml:4:3: sinks.0 holds \"publish\" beside \"zeromq\", must hold one "
           "kind; its settings stand one level deeper");
    refuse("name: a\nsinks: [file: x]", "fraud.yaml:2:15: sinks.0.file is \"x\", must be settings, as in {name: value}");
}

static void config_refuses_what_is_no_plain_yaml(void **state) {
    (void)state;
    refuse("", "fraud.yaml is empty, must hold settings as in name: value");
    refuse("# nothing\n---\n", "fraud.yaml is empty, must hold settings as in name: value");
    refuse("- a", "fraud.yaml:1:1: the file holds a list, must hold settings as in name: value");
    refuse("a", "fraud.yaml:1:1: the file holds a text, must hold settings as in name: value");
    refuse("name: a\nname: b", "fraud.yaml:2:1: \"name\" is set twice, first in line 1");
    refuse("name: a\n---\nname: b", "fraud.yaml:2:1: a second document begins here, must be one a file");
    refuse("name: &x a\nmode: *x", "fraud.yaml:1:7: the anchor &x stands here, must be a plain value");
    refuse("name: a\nmode: *x", "fraud.yaml:2:7: the alias *x stands here, must be the value itself");
    refuse("&x a: *x", "fraud.yaml:1:1: the anchor &x stands here, must be a plain value");
    refuse("name: &x [*x]", "fraud.yaml:1:7: the anchor &x stands here, must be a plain value");
    refuse("name: !!str a", "fraud.yaml:1:7: a tag stands here, must be a plain value");
    refuse("name: a\nfeatures:\n\tlabel: x", "fraud.yaml:3:1: a tab stands here, must be spaces");
    refuse("name: \xc3\xa4\nfeatures:\n\tlabel: x", "fraud.yaml:3:1: a tab stands here, must be spaces");
    refuse("name: \xc3\xa4\nb: \xff", "fraud.yaml:2:4: the bytes here are not UTF-8");
    refuse("name: a\nb: \x01",
           "fraud.yaml:2:4: the control character U+0001 stands here, must be written as an escape in quotes");
    refuse_bytes("name: a\0", 8,
                 "fraud.yaml:1:8: the control character U+0000 stands here, must be written as an escape in quotes");
    refuse("name: \"a\\0b\"", "fraud.yaml:1:7: a NUL character stands in this text, must be without");
    refuse("name: [a", "fraud.yaml:2:1: this is not YAML: while parsing a flow sequence, did not find expected ',' or ']'");
    refuse("[a]: b", "fraud.yaml:1:1: a list is the name of a setting here, must be a word");
    refuse("? {a: b}\n: c", "fraud.yaml:1:3: a map is the name of a setting here, must be a word");
    refuse("name: *",
           "fraud.yaml:1:8: this is not YAML: while scanning an alias, did not find expected alphabetic or numeric character");
}

static void config_bounds_what_a_file_may_cost(void **state) {
    (void)state;
    refuse_repeated("name: ", "[", 100, "", "fraud.yaml:1:39: this is nested deeper than 32 levels");
    refuse_repeated("name: ", "{a: ", 100, "", "fraud.yaml:1:132: this is nested deeper than 32 levels");
    refuse_repeated("name: [", "a,", 5000, "]", "fraud.yaml:1:8200: there are more than 4096 members here");
    refuse_repeated("name: a\n", "x", 200, ": b", "fraud.yaml:2:1: a name of 200 bytes stands here, must be at most 128");
    refuse_repeated("#", "0123456789abcde\n#", 65536, "", "fraud.yaml is larger than 1048576 bytes");
    char *list = repeat("[", "a,", 4000, "], ");
    refuse_repeated("name: [", list, 20, "]", "fraud.yaml:1:131105: there are more than 65536 values in the file");
    free(list);
}

static void config_refuses_sets_that_lead_nowhere(void **state) {
    (void)state;
    refuse_set("name", "--set name has no \"=\", must be path.to.key=value");
    refuse_set("=a", "--set =a has no path, must be path.to.key=value");
    refuse_set("kafka.\xff=a", "--set number 1 has a path with bytes that are not printable UTF-8");
    refuse_set("kafka.\x1b=a", "--set number 1 has a path with bytes that are not printable UTF-8");
    refuse_set("lerner=a", "--set lerner: unknown setting \"lerner\", did you mean \"learner\"?");
    refuse_set("learner.lx=a", "--set learner.lx: unknown setting \"learner.lx\", did you mean \"learner.l2\"?");
    refuse_set("learner.l2=much", "--set learner.l2: learner.l2 is \"much\", must be a number from 0 to 1");
    refuse_set("learner.l2.x=1", "--set learner.l2.x: learner.l2 is a map, must be a number from 0 to 1");
    refuse_set("name.x=1", "--set name.x: name is no map in the file, must be set as a whole");
    refuse_set("sinks.2=file", "--set sinks.2: \"2\" is no member of sinks, must be 0 to 1");
    refuse_set("sinks.x.file.path=a", "--set sinks.x.file.path: \"x\" is no member of sinks, must be 0 to 1");
    refuse_set("sinks.0.file.path=a", "--set sinks.0.file.path: sinks.0 holds \"file\" beside \"zeromq\", must hold one kind; "
                                      "its settings stand one level deeper");
    refuse_set("learner.l2=[",
               "--set learner.l2:2:1: this is not YAML: while parsing a flow node, did not find expected node content");
    char *path = repeat("kafka.", "x", 200, "=1");
    struct rf_printer sentence = {0};
    rf_printer_format(&sentence, "--set %.*s: a name of 200 bytes stands here, must be at most 128", (int)strlen(path) - 2, path);
    refuse_set(path, sentence.text);
    rf_printer_finish(&sentence);
    free(path);
    path = repeat("a", ".a", 40, "=1");
    refuse_set(path, "--set a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a: the path is "
                     "deeper than 32 names");
    free(path);
}

static void config_names_a_file_it_cannot_read(void **state) {
    (void)state;
    struct model_options options = {0};
    struct rf_error err = {0};
    assert_int_equal(rf_config_load("/nowhere/fraud.yaml", NULL, 0, model_settings, &options, &err), RF_NOT_FOUND);
    assert_string_equal(err.text, "cannot read /nowhere/fraud.yaml: No such file or directory");
    assert_int_equal(rf_config_load("/tmp", NULL, 0, model_settings, &options, &err), RF_INVALID);
    assert_string_equal(err.text, "/tmp is a folder, must be a YAML file");
}

static void config_loads_a_file_and_standard_input(void **state) {
    (void)state;
    char path[] = "/tmp/riffle-test-XXXXXX";
    close(mkstemp(path));
    write_file(path, full, strlen(full));
    struct model_options options = {0};
    struct rf_error err = {0};
    static const char *const sets[] = {"seed=5"};
    assert_int_equal(rf_config_load(path, sets, 1, model_settings, &options, &err), RF_OK);
    assert_int_equal(options.seed, 5);
    assert_string_equal(options.name, "fraud");
    rf_config_finish(model_settings, &options);

    int saved = dup(STDIN_FILENO);
    write_file(path, "nmae: x", 7);
    int file = open(path, O_RDONLY);
    assert_true(dup2(file, STDIN_FILENO) >= 0);
    assert_int_equal(rf_config_load("-", NULL, 0, model_settings, &options, &err), RF_INVALID);
    assert_string_equal(err.text, "standard input:1:1: unknown setting \"nmae\", did you mean \"name\"?");
    if (saved >= 0) {
        dup2(saved, STDIN_FILENO);
        close(saved);
    }
    close(file);
    unlink(path);
}

// Texts for people.

static char *text_of(void (*write)(const struct rf_setting *table, FILE *file)) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    write(model_settings, file);
    fclose(file);
    return text;
}

static char *printed(const struct model_options *options) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    rf_config_print(model_settings, options, file);
    fclose(file);
    return text;
}

static void config_prints_what_reads_back_the_same(void **state) {
    (void)state;
    static const char *const sets[] = {"name='a ${ b'", "delimiter=\"\\t\"", "kafka.x='yes'"};
    struct model_options options =
            read_ok("name: $${A}\nkafka: {'a b': \"\\e\"}\nlearner: bayes\nsinks: [file: {headers: {q: ''}}]", sets + 1, 2);
    char *first = printed(&options);
    struct model_options again = read_ok(first, NULL, 0);
    char *second = printed(&again);
    assert_string_equal(first, second);
    assert_string_equal(again.name, "${A}");
    assert_string_equal(again.delimiter, "\t");
    assert_string_equal(again.kafka.list[0].value, "\x1b");
    rf_config_finish(model_settings, &options);
    rf_config_finish(model_settings, &again);
    free(first);
    free(second);
}

static void config_masks_secrets_where_it_prints(void **state) {
    (void)state;
    struct model_options options = read_ok("name: fraud\n"
                                           "kafka: {sasl.password: hush, ssl.key.location: /k.pem, sasl.username: me}\n"
                                           "sinks: [zeromq: {publish: 'tcp://*:1', curve_key: hush}]\n",
                                           NULL, 0);
    char *text = printed(&options);
    assert_string_equal(text, "name: fraud\n"
                              "seed: 1\n"
                              "kafka:\n"
                              "  sasl.password: \"***\"\n"
                              "  ssl.key.location: \"/k.pem\"\n"
                              "  sasl.username: me\n"
                              "features:\n"
                              "  numbers: []\n"
                              "  categories: []\n"
                              "  classes: []\n"
                              "  is_strict: false\n"
                              "  namespaces: {}\n"
                              "  crosses: []\n"
                              "  buckets: []\n"
                              "learner:\n"
                              "  type: linear\n"
                              "  hash_bits: 18\n"
                              "  l2: 0\n"
                              "  optimizer:\n"
                              "    type: momentum\n"
                              "    rate: 0.05\n"
                              "    momentum: 0.9\n"
                              "sinks:\n"
                              "  - zeromq:\n"
                              "      publish: \"tcp://*:1\"\n"
                              "      curve_key: \"***\"\n"
                              "log: logfmt\n"
                              "delimiter: \",\"\n"
                              "ratio: 0.5\n"
                              "pace: auto\n");
    rf_config_finish(model_settings, &options);
    free(text);
}

static void config_knows_librdkafkas_secrets(void **state) {
    (void)state;
    static const char *const secret[] = {"sasl.password",
                                         "ssl.key.password",
                                         "ssl.key.pem",
                                         "ssl.keystore.password",
                                         "sasl.oauthbearer.client.secret",
                                         "sasl.oauthbearer.config"};
    static const char *const open_names[] = {
            "bootstrap.servers", "ssl.key.location", "ssl.ca.pem", "sasl.username", "sasl.oauthbearer.token.endpoint.url",
            "group.id"};
    for (size_t i = 0; i < 6; i++) {
        assert_true(rf_config_is_secret(secret[i]));
        assert_false(rf_config_is_secret(open_names[i]));
    }
}

static void config_helps_in_columns(void **state) {
    (void)state;
    char *text = text_of(rf_config_help);
    assert_non_null(strstr(text, "name              text                       required      of the model\n"
                                 "seed              whole number               1             of everything random\n"));
    assert_non_null(strstr(text, "features          section                                  what is read\n"
                                 "  label           text                       none          field of the outcome\n"));
    assert_non_null(strstr(text, "learner           linear or bayes            linear        what learns\n"
                                 "  linear: a linear model\n"
                                 "    hash_bits     whole number, 1 to 28      18            log2 of the number of weights\n"));
    assert_non_null(strstr(text, "      momentum: heavy ball\n"
                                 "        rate      number, 0 to 10            0.05          step size\n"));
    assert_non_null(strstr(text, "pace              number, 0 to 8, or auto    auto          how fast\n"));
    assert_non_null(strstr(text, "scaler            linear or bayes            none          a second family, absent by default\n"
                                 "  (kinds as of learner)\n"));
    free(text);
}

static void config_writes_markdown_by_section(void **state) {
    (void)state;
    char *text = text_of(rf_config_markdown);
    assert_non_null(strstr(text, "| setting | takes | default | model | meaning |\n|---|---|---|---|---|\n"
                                 "| `name` | text | required |  | of the model |\n"
                                 "| `seed` | whole number | 1 | yes | of everything random |\n"));
    assert_non_null(strstr(text, "\n## `features`\n\n| setting |"));
    assert_non_null(strstr(text, "\n## `learner`\n\n| kind | meaning |\n|---|---|\n| `linear` | a linear model |\n"));
    assert_non_null(strstr(text, "| `numbers` | list of texts | none | yes, may grow | fields that are numbers |\n"));
    assert_non_null(strstr(text, "\n### `learner: linear`\n\n"));
    assert_non_null(strstr(text, "\n#### `learner.optimizer`\n\n"));
    assert_non_null(strstr(text, "\n## `scaler`\n\nThe kinds are those of `learner`.\n"));
    assert_non_null(strstr(text, "| `delimiter` | text | \",\" |  | between fields |\n"));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(config_fills_defaults),
            cmocka_unit_test(config_reads_every_type_of_row),
            cmocka_unit_test(config_takes_a_name_without_value_as_not_written),
            cmocka_unit_test(config_takes_a_variant_without_type_as_the_default_kind),
            cmocka_unit_test(config_takes_a_word_where_a_number_may_be_left_open),
            cmocka_unit_test(config_sets_values_over_the_file),
            cmocka_unit_test(config_puts_the_environment_in_after_parsing),
            cmocka_unit_test(config_puts_the_line_of_a_file_in),
            cmocka_unit_test(config_names_the_nearest_known_setting),
            cmocka_unit_test(config_says_what_a_value_must_be),
            cmocka_unit_test(config_takes_only_true_and_false_for_booleans),
            cmocka_unit_test(config_refuses_kinds_that_are_not_there),
            cmocka_unit_test(config_refuses_what_is_no_plain_yaml),
            cmocka_unit_test(config_bounds_what_a_file_may_cost),
            cmocka_unit_test(config_refuses_sets_that_lead_nowhere),
            cmocka_unit_test(config_names_a_file_it_cannot_read),
            cmocka_unit_test(config_loads_a_file_and_standard_input),
            cmocka_unit_test(config_prints_what_reads_back_the_same),
            cmocka_unit_test(config_masks_secrets_where_it_prints),
            cmocka_unit_test(config_knows_librdkafkas_secrets),
            cmocka_unit_test(config_helps_in_columns),
            cmocka_unit_test(config_writes_markdown_by_section),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
