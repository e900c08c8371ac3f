#include "ingest/registry.h"

#include "ingest/base64.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>

// A client that gives what is written down for each URL, in order; and what was asked.

struct answer {
    const char *url; // begins
    long code;       // 0: no reply, -1: none for a long time
    const char *body;
};

struct scripted_http {
    struct rf_http base;
    const struct answer *answers;
    char url[1024];
    char asked[4096];
    size_t used[16];
};

static enum rf_status begin(struct rf_http *self, const char *url, struct rf_error *err) {
    struct scripted_http *http = (struct scripted_http *)self;
    (void)err;
    snprintf(http->url, sizeof http->url, "%s", url);
    size_t size = strlen(http->asked);
    snprintf(http->asked + size, sizeof http->asked - size, "%s%s", size ? " " : "", url);
    return RF_OK;
}

// The same URL may stand several times: each answer is given once, the last one for ever.
static enum rf_status turn(struct rf_http *self, int wait_ms, struct rf_http_reply *reply_out, struct rf_error *err) {
    struct scripted_http *http = (struct scripted_http *)self;
    (void)wait_ms;
    const struct answer *found = NULL;
    for (size_t i = 0; http->answers[i].url; i++) {
        if (!strcmp(http->answers[i].url, http->url)) {
            found = &http->answers[i];
            if (!http->used[i]++) {
                break;
            }
        }
    }
    if (found && found->code < 0) {
        return RF_AGAIN;
    }
    if (!found || !found->code) {
        return rf_fail(err, RF_IO, "nobody is there");
    }
    *reply_out = (struct rf_http_reply){.code = found->code, .body = rf_text_of(found->body)};
    return RF_OK;
}

static void destroy(struct rf_http *self) {
    free(self);
}

static const struct rf_http_ops scripted_ops = {.name = "scripted", .begin = begin, .turn = turn, .destroy = destroy};

struct fixture {
    struct rf_registry_options options;
    struct scripted_http *http;
    struct rf_registry *registry;
    const struct rf_registered *registered;
    char words[4096];
};

static void setup(struct fixture *fixture, char *url, bool is_serialized, const struct answer *answers,
                  const struct rf_registry_store *store) {
    *fixture = (struct fixture){.options = {.url = url, .ids = 100}, .http = calloc(1, sizeof *fixture->http)};
    struct rf_error err;
    fixture->http->base.ops = &scripted_ops;
    fixture->http->answers = answers;
    assert_int_equal(rf_registry_create(&fixture->options, is_serialized, &fixture->http->base, store, &fixture->registry, &err),
                     RF_OK);
}

// Asks until something is answered, wrong, or waited for: `TYPE name=text ...`, `refused: ...`, or what is wrong.
static const char *resolve(struct fixture *fixture, uint32_t id, int64_t now_ms) {
    struct rf_error err;
    enum rf_status status;
    char *words = fixture->words;
    size_t size = sizeof fixture->words, tries = 0;
    do {
        err.text[0] = '\0';
        status = rf_registry_resolve(fixture->registry, id, now_ms, 0, &fixture->registered, &err);
    } while (status == RF_AGAIN && !err.text[0] && ++tries < 100);
    const struct rf_registered *registered = fixture->registered;
    if (status) {
        snprintf(words, size, "%s: %s", rf_status_text(status), err.text);
    } else if (registered->refusal) {
        snprintf(words, size, "refused: %s", registered->refusal);
    } else {
        int used = snprintf(words, size, "%s", registered->type);
        for (size_t i = 0; i < registered->count; i++) {
            used += snprintf(words + used, size - (size_t)used, " %s=%s", registered->schemas[i].name,
                             registered->schemas[i].text);
        }
    }
    return words;
}

#define URL "http://registry:8081"
#define SCHEMA(text) "{\"schema\":\"" text "\"}"

static void a_schema_is_asked_for_once(void **state) {
    (void)state;
    static const struct answer answers[] = {{URL "/schemas/ids/7", 200, "{\"schema\":\"\\\"long\\\"\",\"id\":7,\"guid\":\"x\"}"},
                                            {.url = NULL}};
    struct fixture fixture;
    setup(&fixture, (char[]){URL "/"}, false, answers, NULL);
    assert_null(rf_registry_find(fixture.registry, 7));
    assert_string_equal(resolve(&fixture, 7, 0), "AVRO =\"long\"");
    assert_string_equal(resolve(&fixture, 7, 0), "AVRO =\"long\"");
    assert_ptr_equal(rf_registry_find(fixture.registry, 7), fixture.registered);
    assert_string_equal(fixture.http->asked, URL "/schemas/ids/7");
    rf_registry_destroy(fixture.registry);
}

static void references_come_before_what_refers_to_them(void **state) {
    (void)state;
    static const struct answer answers[] = {
            {URL "/schemas/ids/1", 200,
             "{\"schema\":\"main\",\"references\":[{\"name\":\"C\",\"subject\":\"c\",\"version\":1},"
             "{\"name\":\"B\",\"subject\":\"b/b\",\"version\":3}]}"},
            {URL "/subjects/c/versions/1?deleted=true", 200, SCHEMA("sea")},
            {URL "/subjects/b%2Fb/versions/3?deleted=true", 200,
             "{\"schema\":\"bee\",\"references\":[{\"name\":\"C\",\"subject\":\"c\",\"version\":1},"
             "{\"name\":\"D\",\"subject\":\"\xc3\xa4\",\"version\":2}]}"},
            {URL "/subjects/%C3%A4/versions/2?deleted=true", 200,
             "{\"schema\":\"dee\",\"references\":[{\"name\":\"C\",\"subject\":\"c\",\"version\":1}]}"},
            {.url = NULL}};
    struct fixture fixture;
    setup(&fixture, (char[]){URL}, false, answers, NULL);
    assert_string_equal(resolve(&fixture, 1, 0), "AVRO C=sea D=dee B=bee =main");
    rf_registry_destroy(fixture.registry);
}

static void references_that_go_round_come_to_an_end(void **state) {
    (void)state;
    static const struct answer answers[] = {
            {URL "/schemas/ids/1", 200, "{\"schema\":\"a\",\"references\":[{\"name\":\"B\",\"subject\":\"b\",\"version\":1}]}"},
            {URL "/subjects/b/versions/1?deleted=true", 200,
             "{\"schema\":\"b\",\"references\":[{\"name\":\"B\",\"subject\":\"b\",\"version\":1}]}"},
            {.url = NULL}};
    struct fixture fixture;
    setup(&fixture, (char[]){URL}, false, answers, NULL);
    assert_string_equal(resolve(&fixture, 1, 0), "AVRO B=b =a");
    rf_registry_destroy(fixture.registry);
}

static void schemas_of_protobuf_are_asked_for_as_descriptors(void **state) {
    (void)state;
    static const struct answer answers[] = {
            {URL "/schemas/ids/1?format=serialized", 200,
             "{\"schemaType\":\"PROTOBUF\",\"schema\":\"Cg==\",\"references\":[{\"name\":\"b.proto\",\"subject\":\"b\","
             "\"version\":1}]}"},
            {URL "/subjects/b/versions/1?deleted=true&format=serialized", 200,
             "{\"schemaType\":\"PROTOBUF\",\"schema\":\"CgAA\"}"},
            {URL "/schemas/ids/2?format=serialized", 200,
             "{\"schemaType\":\"PROTOBUF\",\"schema\":\"syntax = \\\"proto3\\\";\"}"},
            {.url = NULL}};
    struct fixture fixture;
    setup(&fixture, (char[]){URL}, true, answers, NULL);
    assert_string_equal(resolve(&fixture, 1, 0), "PROTOBUF b.proto=CgAA =Cg==");
    assert_string_equal(resolve(&fixture, 2, 0),
                        "refused: is one of Protobuf that the registry gives as text, must know format=serialized");
    rf_registry_destroy(fixture.registry);
}

static void an_id_that_is_not_known_is_asked_for_twice(void **state) {
    (void)state;
    static const struct answer answers[] = {
            {URL "/schemas/ids/1", 404, "{\"error_code\":40403,\"message\":\"Schema 1 not found\"}"},
            {URL "/schemas/ids/2", 404, "{\"error_code\":40403,\"message\":\"Schema 2 not found\"}"},
            {URL "/schemas/ids/2", 200, SCHEMA("two")},
            {.url = NULL}};
    struct fixture fixture;
    setup(&fixture, (char[]){URL}, false, answers, NULL);
    assert_string_equal(resolve(&fixture, 1, 1000), "nothing yet: ");
    assert_string_equal(resolve(&fixture, 1, 1299), "nothing yet: ");
    assert_string_equal(resolve(&fixture, 1, 1300), "refused: is not known to the schema registry");
    assert_string_equal(resolve(&fixture, 2, 1300), "nothing yet: ");
    assert_string_equal(resolve(&fixture, 2, 1600), "AVRO =two");
    assert_string_equal(fixture.http->asked,
                        URL "/schemas/ids/1 " URL "/schemas/ids/1 " URL "/schemas/ids/2 " URL "/schemas/ids/2");
    rf_registry_destroy(fixture.registry);
}

static void a_reference_that_is_not_there_refuses_the_schema(void **state) {
    (void)state;
    static const struct answer answers[] = {
            {URL "/schemas/ids/1", 200, "{\"schema\":\"a\",\"references\":[{\"name\":\"B\",\"subject\":\"b\",\"version\":12}]}"},
            {URL "/subjects/b/versions/12?deleted=true", 404, "{\"error_code\":40402,\"message\":\"Version 12 not found.\"}"},
            {.url = NULL}};
    struct fixture fixture;
    setup(&fixture, (char[]){URL}, false, answers, NULL);
    assert_string_equal(resolve(&fixture, 1, 0), "refused: refers to version 12 of b, which is not there");
    rf_registry_destroy(fixture.registry);
}

// A reply with so many references to a subject. The caller frees it.
static char *print_references(int count, int first, const char *subject) {
    char *body = malloc(64 + (size_t)count * (64 + strlen(subject)));
    assert_non_null(body);
    size_t used = (size_t)sprintf(body, "{\"schema\":\"a\",\"references\":[");
    for (int i = 0; i < count; i++) {
        used += (size_t)sprintf(body + used, "%s{\"name\":\"%d\",\"subject\":\"%s\",\"version\":1}", i ? "," : "", first + i,
                                subject);
    }
    sprintf(body + used, "]}");
    return body;
}

static void references_without_number_refuse_the_schema(void **state) {
    (void)state;
    char *too_many = print_references(257, 0, "b"), *many = print_references(256, 1000, "c");
    char name[4200] = "";
    memset(name, 'x', sizeof name - 1);
    char *far = print_references(1, 0, name);
    const struct answer answers[] = {
            {URL "/schemas/ids/1", 200, too_many},
            {URL "/schemas/ids/2", 200, "{\"schema\":\"a\",\"references\":[{\"name\":\"B\",\"subject\":\"b\",\"version\":1}]}"},
            {URL "/subjects/b/versions/1?deleted=true", 200, many},
            {URL "/schemas/ids/3", 200, far},
            {URL "/schemas/ids/4", 200, SCHEMA("four")},
            {.url = NULL}};
    struct fixture fixture;
    setup(&fixture, (char[]){URL}, false, answers, NULL);
    assert_string_equal(resolve(&fixture, 1, 0), "refused: has 257 references, at most 256 are taken");
    assert_string_equal(resolve(&fixture, 2, 0), "refused: has more than 256 references, at most so many are taken");
    assert_string_equal(resolve(&fixture, 3, 0), "refused: refers to a subject with a name too long");
    assert_string_equal(resolve(&fixture, 4, 0), "AVRO =four");
    rf_registry_destroy(fixture.registry);
    free(too_many);
    free(many);
    free(far);
}

static void what_is_wrong_is_said_and_tried_again_a_second_later(void **state) {
    (void)state;
    static const struct {
        struct answer answer;
        const char *words;
    } cases[] = {
            {{URL "/schemas/ids/1", 0, NULL}, "nobody is there"},
            {{URL "/schemas/ids/1", 401, ""}, "refuses the credentials (401)"},
            {{URL "/schemas/ids/1", 403, ""}, "does not let these credentials read schemas (403)"},
            {{URL "/schemas/ids/1", 307, ""}, "sends elsewhere (307), which is not followed; give the URL that it sends to"},
            {{URL "/schemas/ids/1", 500, "{\"error_code\":50001,\"message\":\"store\"}"}, "answers 500: store"},
            {{URL "/schemas/ids/1", 429, "slow down"}, "answers 429"},
            {{URL "/schemas/ids/1", 404, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}"},
             "answers 404 as no schema registry does; its URL must be the one behind which /schemas is"},
            {{URL "/schemas/ids/1", 404, "<html>"},
             "answers 404 as no schema registry does; its URL must be the one behind which /schemas is"},
            {{URL "/schemas/ids/1", 200, "<html>"}, "answers with what is no schema: <html>"},
            {{URL "/schemas/ids/1", 200, "{\"schema\": 7}"}, "answers with what is no schema: {\"schema\": 7}"},
            {{URL "/schemas/ids/1", 200, "[]"}, "answers with what is no schema: []"},
            {{URL "/schemas/ids/1", 200, "{\"schema\":\"a\",\"references\":[{\"name\":\"B\",\"version\":1}]}"},
             "gives a schema whose references are not {name, subject, version}"},
            {{URL "/schemas/ids/1", 200, "{\"schema\":\"a\",\"references\":7}"},
             "gives a schema whose references are not {name, subject, version}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer answers[] = {cases[i].answer, {URL "/schemas/ids/1", 200, SCHEMA("good")}, {.url = NULL}};
        char expected[256];
        struct fixture fixture;
        setup(&fixture, (char[]){URL}, false, answers, NULL);
        snprintf(expected, sizeof expected, "nothing yet: schema registry " URL ": %s", cases[i].words);
        assert_string_equal(resolve(&fixture, 1, 5000), expected);
        assert_string_equal(resolve(&fixture, 1, 5999), expected);
        assert_string_equal(fixture.http->asked, URL "/schemas/ids/1");
        assert_string_equal(resolve(&fixture, 1, 6000), "AVRO =good");
        rf_registry_destroy(fixture.registry);
    }
}

static void urls_are_tried_in_turn(void **state) {
    (void)state;
    static const struct answer answers[] = {{"http://a/schemas/ids/1", 0, NULL},
                                            {"https://b/base/schemas/ids/1", 200, SCHEMA("one")},
                                            {"https://b/base/schemas/ids/2", 200, SCHEMA("two")},
                                            {.url = NULL}};
    struct fixture fixture;
    setup(&fixture, (char[]){"http://a,https://b/base/"}, false, answers, NULL);
    assert_string_equal(resolve(&fixture, 1, 1), "nothing yet: schema registry http://a: nobody is there");
    assert_string_equal(resolve(&fixture, 1, 1), "AVRO =one"); // at once
    assert_string_equal(resolve(&fixture, 2, 1), "AVRO =two"); // of the one that answers
    assert_string_equal(resolve(&fixture, 3, 1), "nothing yet: schema registry https://b/base: nobody is there");
    assert_string_equal(resolve(&fixture, 3, 1), "nothing yet: schema registry http://a: nobody is there");
    assert_string_equal(fixture.http->asked, "http://a/schemas/ids/1 https://b/base/schemas/ids/1 https://b/base/schemas/ids/2 "
                                             "https://b/base/schemas/ids/3 http://a/schemas/ids/3");
    rf_registry_destroy(fixture.registry);
}

static void more_ids_than_are_kept_wait(void **state) {
    (void)state;
    static const struct answer answers[] = {{URL "/schemas/ids/1", 200, SCHEMA("one")}, {.url = NULL}};
    struct fixture fixture;
    setup(&fixture, (char[]){URL}, false, answers, NULL);
    fixture.options.ids = 1;
    assert_string_equal(resolve(&fixture, 1, 0), "AVRO =one");
    assert_string_equal(resolve(&fixture, 2, 0),
                        "nothing yet: schema id 2 is one more than the 1 that are kept, ids must be larger");
    assert_string_equal(resolve(&fixture, 1, 0), "AVRO =one");
    assert_string_equal(fixture.http->asked, URL "/schemas/ids/1");
    rf_registry_destroy(fixture.registry);
}

static void thousands_of_ids_are_found_again(void **state) {
    (void)state;
    enum { IDS = 3000 };
    static const struct answer answers[] = {{.url = NULL}};
    struct fixture fixture;
    setup(&fixture, (char[]){URL}, false, answers, NULL);
    fixture.options.ids = IDS;
    static struct answer one[2];
    fixture.http->answers = one;
    for (uint32_t i = 0; i < IDS; i++) {
        char url[64], body[64];
        snprintf(url, sizeof url, URL "/schemas/ids/%u", i * 4096);
        snprintf(body, sizeof body, SCHEMA("%u"), i);
        one[0] = (struct answer){url, 200, body};
        fixture.http->asked[0] = '\0';
        resolve(&fixture, i * 4096, 0);
    }
    for (uint32_t i = 0; i < IDS; i++) {
        char text[16];
        snprintf(text, sizeof text, "%u", i);
        assert_string_equal(rf_registry_find(fixture.registry, i * 4096)->schemas[0].text, text);
    }
    rf_registry_destroy(fixture.registry);
}

// What is kept.

static char *kept[10];

static struct rf_registered *load(void *context, uint32_t id) {
    struct rf_registered *registered = NULL;
    struct rf_error err;
    (*(int *)context)++;
    return kept[id] && !rf_registered_read(rf_text_of(kept[id]), id, &registered, &err) ? registered : NULL;
}

static void save(void *context, const struct rf_registered *registered) {
    (void)context;
    free(kept[registered->id]);
    kept[registered->id] = rf_registered_print(registered);
}

static void what_is_kept_needs_no_registry(void **state) {
    (void)state;
    static const struct answer answers[] = {
            {URL "/schemas/ids/1", 200,
             "{\"schema\":\"a\\u0000\\\"\",\"references\":[{\"name\":\"B\",\"subject\":\"b\",\"version\":1}]}"},
            {URL "/schemas/ids/2", 200, "{\"schema\":\"a\",\"references\":[{\"name\":\"B\",\"subject\":\"b\",\"version\":1}]}"},
            {URL "/subjects/b/versions/1?deleted=true", 200, SCHEMA("\\\"b\\\\n\\u00e4")},
            {URL "/schemas/ids/3", 404, "{\"error_code\":40403}"},
            {.url = NULL}};
    static const struct answer nothing[] = {{.url = NULL}};
    int loads = 0;
    struct rf_registry_store store = {.context = &loads, .load = load, .save = save};
    struct fixture fixture;
    setup(&fixture, (char[]){URL}, false, answers, &store);
    assert_string_equal(resolve(&fixture, 2, 0), "AVRO B=\"b\\n\xc3\xa4 =a");
    resolve(&fixture, 3, 0);
    assert_string_equal(resolve(&fixture, 3, 300), "refused: is not known to the schema registry");
    assert_int_equal(loads, 2);
    rf_registry_destroy(fixture.registry);

    setup(&fixture, (char[]){URL}, false, nothing, &store);
    assert_string_equal(resolve(&fixture, 2, 0), "AVRO B=\"b\\n\xc3\xa4 =a");
    assert_string_equal(resolve(&fixture, 3, 0), "refused: is not known to the schema registry");
    assert_string_equal(fixture.http->asked, "");
    rf_registry_destroy(fixture.registry);

    for (size_t i = 0; i < strlen(kept[2]); i++) { // damaged anywhere, it is asked for again
        kept[2][i] ^= 1;
        struct rf_registered *registered;
        struct rf_error err;
        assert_int_equal(rf_registered_read(rf_text_of(kept[2]), 2, &registered, &err), RF_CORRUPT);
        assert_string_equal(err.text, "is not what was kept of schema id 2");
        kept[2][i] ^= 1;
        assert_int_equal(rf_registered_read((struct rf_text){kept[2], i}, 2, &registered, &err), RF_CORRUPT);
    }
    struct rf_registered *other;
    struct rf_error err;
    assert_int_equal(rf_registered_read(rf_text_of(kept[2]), 3, &other, &err), RF_CORRUPT); // a file of another name
    kept[2][100] ^= 1;
    setup(&fixture, (char[]){URL}, false, answers, &store);
    assert_string_equal(resolve(&fixture, 2, 0), "AVRO B=\"b\\n\xc3\xa4 =a");
    assert_string_equal(fixture.http->asked, URL "/schemas/ids/2 " URL "/subjects/b/versions/1?deleted=true");
    rf_registry_destroy(fixture.registry);
    free(kept[2]);
    free(kept[3]);
}

static void a_kept_text_of_protobuf_is_no_descriptor(void **state) {
    (void)state;
    static const struct answer answers[] = {
            {URL "/schemas/ids/4", 200, "{\"schemaType\":\"PROTOBUF\",\"schema\":\"syntax = 3;\"}"},
            {URL "/schemas/ids/4?format=serialized", 200, "{\"schemaType\":\"PROTOBUF\",\"schema\":\"Cg==\"}"},
            {.url = NULL}};
    int loads = 0;
    struct rf_registry_store store = {.context = &loads, .load = load, .save = save};
    static const char *const words[] = {"PROTOBUF =syntax = 3;", "PROTOBUF =Cg==", "PROTOBUF =Cg=="};
    for (int i = 0; i < 3; i++) { // as Avro, where it is of no use; then as Protobuf, twice
        struct fixture fixture;
        setup(&fixture, (char[]){URL}, i > 0, answers, &store);
        assert_string_equal(resolve(&fixture, 4, 0), words[i]);
        assert_string_equal(fixture.http->asked, i == 0   ? URL "/schemas/ids/4"
                                                 : i == 1 ? URL "/schemas/ids/4?format=serialized"
                                                          : "");
        rf_registry_destroy(fixture.registry);
    }
    free(kept[4]);
}

static void a_probe_asks_all_urls(void **state) {
    (void)state;
    static const struct {
        struct answer answers[3];
        enum rf_status status;
        const char *words;
    } cases[] = {
            {{{"http://a/schemas/types", 200, "[]"}}, RF_OK, ""},
            {{{"http://a/schemas/types", 0, NULL}, {"http://b/schemas/types", 200, "[]"}}, RF_OK, ""},
            {{{.url = NULL}}, RF_IO, "schema registry http://b: nobody is there"},
            {{{"http://a/schemas/types", 401, ""}}, RF_INVALID, "schema registry http://a: refuses the credentials (401)"},
            {{{"http://a/schemas/types", 200, "[]"}}, RF_OK, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture fixture;
        struct rf_error err = {0};
        enum rf_status status;
        setup(&fixture, (char[]){"http://a,http://b"}, false, cases[i].answers, NULL);
        do {
            status = rf_registry_probe(fixture.registry, 0, 0, &err);
        } while (status == RF_AGAIN);
        assert_int_equal(status, cases[i].status);
        if (status) {
            assert_string_equal(err.text, cases[i].words);
        }
        rf_registry_destroy(fixture.registry);
    }
}

static void a_probe_of_a_silent_registry_ends(void **state) {
    (void)state;
    static const struct answer answers[] = {
            {URL "/schemas/types", -1, NULL}, {URL "/schemas/ids/0", 200, SCHEMA("none")}, {.url = NULL}};
    struct fixture fixture;
    struct rf_error err = {0};
    setup(&fixture, (char[]){URL}, false, answers, NULL);
    for (int64_t start = 1000; start < 100000; start += 50000) { // twice
        assert_int_equal(rf_registry_probe(fixture.registry, start, 0, &err), RF_AGAIN);
        assert_int_equal(rf_registry_probe(fixture.registry, start + 4999, 0, &err), RF_AGAIN);
        assert_int_equal(rf_registry_probe(fixture.registry, start + 5000, 0, &err), RF_IO);
        assert_string_equal(err.text, "schema registry " URL ": has not answered within 5 seconds");
    }
    assert_string_equal(resolve(&fixture, 0, 0), "AVRO =none"); // nothing is left under way
    rf_registry_destroy(fixture.registry);
}

static void settings_that_do_not_go_together_are_refused(void **state) {
    (void)state;
    static const struct {
        struct rf_registry_options options;
        const char *words;
    } cases[] = {
            {{.user = "u"}, "url is missing, must name the schema registry"},
            {{.url = ""}, "url is \"\", must begin with http:// or https:// and a host"},
            {{.url = "registry:8081"}, "url is \"registry:8081\", must begin with http:// or https:// and a host"},
            {{.url = "http://a,ftp://b"}, "url is \"ftp://b\", must begin with http:// or https:// and a host"},
            {{.url = "http://a, http://b"}, "url is \" http://b\", must begin with http:// or https:// and a host"},
            {{.url = "http://a,"}, "url is \"\", must begin with http:// or https:// and a host"},
            {{.url = "http:///a"}, "url is \"http:///a\", must begin with http:// or https:// and a host"},
            {{.url = "http://a?b"}, "url is \"http://a?b\", must hold no blank, no ? and no #"},
            {{.url = "https://me:secret@a"}, "url holds user info, which must stand in user and password"},
            {{.url = "http://a", .user = "u", .token = "t"}, "token and user are given, must be one of the two"},
            {{.url = "http://a", .password = "p"}, "user is missing, must stand beside password"},
            {{.url = "http://a", .ca_file = "f"}, "ca_file is given, but url is not https"},
            {{.url = "http://a:99999"}, "url is \"http://a:99999\", must have a host and a port that there can be"},
            {{.url = "http://[::1"}, "url is \"http://[::1\", must have a host and a port that there can be"},
            {{.url = "http://a", .token = "a\r\nX: y"}, "token holds a control character, must hold none"},
            {{.url = "http://a", .token = ""}, "token is empty, must be given or left out"},
            {{.url = "http://a", .user = "a:b"}, "user holds a colon, which basic authentication cannot carry"},
    };
    struct rf_error err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(rf_registry_check(&cases[i].options, &err), RF_INVALID);
        assert_string_equal(err.text, cases[i].words);
    }
    struct rf_registry_options good = {
            .url = (char[]){"http://a:8081,https://b/base"}, .user = (char[]){"u"}, .ca_file = (char[]){"f"}};
    assert_int_equal(rf_registry_check(&good, &err), RF_OK);
    assert_int_equal(rf_registry_check(&(struct rf_registry_options){0}, &err), RF_OK);
}

static void base64_is_that_of_the_rfc(void **state) {
    (void)state;
    static const char *const pairs[][2] = {{"f", "Zg=="},        {"fo", "Zm8="},        {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
                                           {"\xfb\xff", "+/8="}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        uint8_t bytes[16];
        assert_true(rf_base64_is_valid(rf_text_of(pairs[i][1])));
        size_t size = rf_base64_decode(rf_text_of(pairs[i][1]), bytes);
        assert_int_equal(size, strlen(pairs[i][0]));
        assert_memory_equal(bytes, pairs[i][0], size);
    }
    static const char *const bad[] = {"", "Z", "Zg", "Zg=", "Zg==Zg==", "====", "Z===", "Zm9v\n", "Zm 9", "Zm-_"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(rf_base64_is_valid(rf_text_of(bad[i])));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_schema_is_asked_for_once),
            cmocka_unit_test(references_come_before_what_refers_to_them),
            cmocka_unit_test(references_that_go_round_come_to_an_end),
            cmocka_unit_test(schemas_of_protobuf_are_asked_for_as_descriptors),
            cmocka_unit_test(an_id_that_is_not_known_is_asked_for_twice),
            cmocka_unit_test(a_reference_that_is_not_there_refuses_the_schema),
            cmocka_unit_test(references_without_number_refuse_the_schema),
            cmocka_unit_test(what_is_wrong_is_said_and_tried_again_a_second_later),
            cmocka_unit_test(urls_are_tried_in_turn),
            cmocka_unit_test(more_ids_than_are_kept_wait),
            cmocka_unit_test(thousands_of_ids_are_found_again),
            cmocka_unit_test(what_is_kept_needs_no_registry),
            cmocka_unit_test(a_kept_text_of_protobuf_is_no_descriptor),
            cmocka_unit_test(a_probe_asks_all_urls),
            cmocka_unit_test(a_probe_of_a_silent_registry_ends),
            cmocka_unit_test(settings_that_do_not_go_together_are_refused),
            cmocka_unit_test(base64_is_that_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
