#include "ops/assembly.h"
#include "ops/file.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char settings_text[] = "name: test\nsource: {file: x, format: json}\nfeatures: {id: id, label: y}\n"
                                    "learner: {type: linear}\nworker: {log_level: info}\n"
                                    "sinks: [{zeromq: {publish: 'tcp://127.0.0.1:*'}}, {zeromq: {push: 'tcp://127.0.0.1:0'}},\n"
                                    "        {file: {path: /dev/null}}]\n";

static void the_log_tells_where_sinks_are_bound_and_which_may_lose_something(void **state) {
    (void)state;
    char path[] = "/tmp/riffle-assembly-XXXXXX", text[4096];
    int file = mkstemp(path), ends[2];
    assert_true(file >= 0 && write(file, settings_text, sizeof settings_text - 1) == sizeof settings_text - 1);
    assert_int_equal(close(file), 0);
    assert_int_equal(pipe(ends), 0);
    struct rf_assembly assembly;
    struct rf_pipeline *pipeline;
    struct rf_error err;
    assert_int_equal(rf_assembly_init(path, NULL, 0, &assembly, &err), RF_OK);
    assembly.log.options.file = ends[1];
    assert_int_equal(rf_assembly_pipeline(&assembly, NULL, &pipeline, &err), RF_OK);
    assert_int_equal(rf_assembly_sinks(&assembly, pipeline, &err), RF_OK);
    rf_pipeline_destroy(pipeline);
    rf_assembly_finish(&assembly);
    assert_int_equal(close(ends[1]), 0);
    ssize_t size = read(ends[0], text, sizeof text - 1);
    assert_true(size > 0);
    text[size] = '\0';
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(unlink(path), 0);

    const char *first = strstr(text, "message=\"sink bound\" sink=zeromq:tcp://127.0.0.1:* endpoint=tcp://127.0.0.1:");
    assert_non_null(first);
    const char *second = strstr(first, "message=\"sink bound\" sink=zeromq:tcp://127.0.0.1:0 endpoint=tcp://127.0.0.1:");
    assert_non_null(second);
    assert_non_null(strstr(first, " lossy=true\n"));
    assert_true(strstr(first, " lossy=true\n") < second);
    const char *rest = strstr(second, " lossy=false\n");
    assert_non_null(rest);
    assert_null(strstr(rest, "sink bound"));
}

static void a_file_that_settings_name_must_be_a_plain_one(void **state) {
    (void)state;
    char folder[] = "/tmp/riffle-assembly-XXXXXX", pipe_path[64], wanted[128];
    assert_non_null(mkdtemp(folder));
    snprintf(pipe_path, sizeof pipe_path, "%s/pipe", folder);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    struct rf_text bytes;
    struct rf_error err;
    const char *const paths[] = {pipe_path, folder};
    for (size_t i = 0; i < 2; i++) {
        snprintf(wanted, sizeof wanted, "%s is no plain file, must be one", paths[i]);
        assert_int_equal(rf_file_read(paths[i], 100, &bytes, &err), RF_INVALID);
        assert_string_equal(err.text, wanted);
    }
    assert_int_equal(unlink(pipe_path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_log_tells_where_sinks_are_bound_and_which_may_lose_something),
            cmocka_unit_test(a_file_that_settings_name_must_be_a_plain_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
