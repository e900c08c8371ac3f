#include "ingest/confluent.h"

#include "ingest/registry.h"
#include "tests/ingest/decode_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static struct decode_fixture framed(const struct rf_decoder_kind *kind, struct rf_registry *registry) {
    struct rf_feature_options features = {.numbers = TEXTS("amount")};
    static struct rf_decoder_options options;
    options = (struct rf_decoder_options){.framing = RF_FRAMING_CONFLUENT, .registry = registry};
    struct decode_fixture fixture = {0};
    struct rf_error err;
    assert_int_equal(rf_schema_create(&features, rf_hash_key_of_seed(1), &fixture.schema, &err), RF_OK);
    assert_int_equal(rf_decoder_create(kind, fixture.schema, &options, &fixture.decoder, &err), RF_OK);
    assert_int_equal(rf_arena_init(&fixture.arena, 1 << 20, &err), RF_OK);
    return fixture;
}

#define DECODE(fixture, bytes) fixture_decode(fixture, bytes, sizeof(bytes) - 1)

static void json_behind_a_schema_id_is_json(void **state) {
    (void)state;
    struct decode_fixture fixture = framed(rf_decoder_find("json"), NULL);
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\7{\"amount\": 12.5}"), "amount=12.5");
    assert_string_equal(DECODE(&fixture, "\0\x7f\n{\0{\"amount\": 1, \"x\": [2]}"), "amount=1");
    struct rf_error err;
    struct rf_record record = {.value = {"\0\0\0\0\7{}", 7}};
    assert_int_equal(rf_decoder_resolve(fixture.decoder, &record, 0, 0, &err), RF_OK); // without asking anybody
    fixture_finish(&fixture);
}

static void what_does_not_begin_with_a_schema_id_is_rejected(void **state) {
    (void)state;
    struct decode_fixture fixture = framed(rf_decoder_find("json"), NULL);
    assert_string_equal(DECODE(&fixture, "{\"amount\": 12.5}"),
                        "undecodable: begins with byte 7b, must begin with 00 and a schema id");
    assert_string_equal(DECODE(&fixture, "\1\0\0\0\7{}"), "undecodable: begins with byte 01, must begin with 00 and a schema id");
    assert_string_equal(DECODE(&fixture, "\0"), "undecodable: has 1 bytes, must begin with 00 and a schema id of 4");
    assert_string_equal(DECODE(&fixture, "\0\0\0\7"), "undecodable: has 4 bytes, must begin with 00 and a schema id of 4");
    assert_string_equal(DECODE(&fixture, "\0\x80\0\0\0{}"),
                        "undecodable: has schema id 2147483648, must have one up to 2147483647");
    assert_string_equal(DECODE(&fixture, "\0\x7f\xff\xff\xff{\"amount\": 1}"), "amount=1");
    assert_string_equal(DECODE(&fixture, ""), "empty: has a value of 0 bytes");
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\7"), "undecodable: ends after 0 bytes, must go on with '{'");
    fixture_finish(&fixture);
}

static struct rf_confluent_head head_of(const char *bytes, size_t size) {
    struct rf_confluent_head head;
    struct rf_decode_error error;
    assert_int_equal(rf_confluent_read((struct rf_text){bytes, size}, true, &head, &error), RF_OK);
    return head;
}

#define HEAD(bytes) head_of(bytes, sizeof(bytes) - 1)

static void message_indexes_are_read_as_the_serialisers_write_them(void **state) {
    (void)state;
    struct rf_confluent_head head = HEAD("\0\1\2\3\4\0rest");
    assert_int_equal(head.id, 0x01020304);
    assert_int_equal(head.index_count, 1);
    assert_int_equal(head.indexes[0], 0);
    assert_memory_equal(head.value.data, "rest", head.value.size);
    head = HEAD("\0\0\0\0\1\2\0");
    assert_int_equal(head.index_count, 1);
    assert_int_equal(head.indexes[0], 0);
    assert_int_equal(head.value.size, 0);
    head = HEAD("\0\0\0\0\1\4\2\x80\2rest"); // [1, 128]
    assert_int_equal(head.index_count, 2);
    assert_int_equal(head.indexes[0], 1);
    assert_int_equal(head.indexes[1], 128);
    assert_int_equal(head.value.size, 4);
}

static void message_indexes_that_cannot_be_are_rejected(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *detail;
    } cases[] = {
            {"\0\0\0\0\1", 5, "has message indexes behind schema id 1 that are not whole"},
            {"\0\0\0\0\1\2", 6, "has message indexes behind schema id 1 that are not whole"},
            {"\0\0\0\0\1\2\x80", 7, "has message indexes behind schema id 1 that are not whole"},
            {"\0\0\0\0\1\1\0", 7, "has message indexes behind schema id 1 that are not whole"}, // -1 of them
            {"\0\0\0\0\1\2\1", 7, "has message indexes behind schema id 1 that are not whole"}, // index -1
            {"\0\0\0\0\1\2\x80\x80\x80\x80\x80\1", 12, "has message indexes behind schema id 1 that are not whole"},
            {"\0\0\0\0\1\x42", 6, "has 33 message indexes, at most 32 are taken"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rf_confluent_head head;
        struct rf_decode_error error;
        assert_int_equal(rf_confluent_read((struct rf_text){cases[i].bytes, cases[i].size}, true, &head, &error), RF_INVALID);
        assert_string_equal(error.detail, cases[i].detail);
    }
}

// A registry that answers from a list, and a format with schemas whose every schema is a name for JSON.

static long code;
static char body[256];
static int asked;

static enum rf_status http_begin(struct rf_http *self, const char *url, struct rf_error *err) {
    (void)self;
    (void)err;
    uint32_t id = (uint32_t)strtoul(strrchr(url, '/') + 1, NULL, 10);
    asked++;
    const char *type = id == 9 ? ",\"schemaType\":\"JSON\"" : id < 6 ? ",\"schemaType\":\"PROTOBUF\"" : "";
    code = id < 10 ? 200 : 404;
    snprintf(body, sizeof body, id < 10 ? "{\"schema\":\"%s\"%s}" : "{\"error_code\":40403,\"message\":\"none\"}",
             id == 8   ? "bad"
             : id == 5 ? "IgIaACIA"
             : id == 4 ? "Igka"
                       : "good",
             type);
    return RF_OK;
}

static enum rf_status http_turn(struct rf_http *self, int wait_ms, struct rf_http_reply *reply_out, struct rf_error *err) {
    (void)self;
    if (code == 0) {
        return rf_fail(err, RF_IO, "nobody is there");
    }
    assert_true(wait_ms == 0);
    *reply_out = (struct rf_http_reply){.code = code, .body = rf_text_of(body)};
    return RF_OK;
}

static void http_destroy(struct rf_http *self) {
    free(self);
}

static const struct rf_http_ops http_ops = {.name = "listed", .begin = http_begin, .turn = http_turn, .destroy = http_destroy};

static enum rf_status create_registered(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                        const struct rf_registered *registered, const uint32_t *indexes, size_t index_count,
                                        struct rf_decoder **decoder_out, struct rf_error *err) {
    (void)indexes;
    assert_int_equal(index_count, 0);
    if (strcmp(registered->schemas[0].text, "good") != 0) {
        return rf_fail(err, RF_INVALID, "the schema is \"%s\", must be good", registered->schemas[0].text);
    }
    return rf_decoder_json_create(schema, options, decoder_out, err);
}

static const struct rf_decoder_kind kind = {
        .name = "made", .create = rf_decoder_json_create, .registry_type = "AVRO", .create_registered = create_registered};

static const char *resolve(struct decode_fixture *fixture, const char *bytes, size_t size, int64_t now_ms, int wait_ms) {
    static struct rf_error err;
    err.text[0] = '\0';
    struct rf_record record = {.value = {bytes, size}};
    enum rf_status status = rf_decoder_resolve(fixture->decoder, &record, now_ms, wait_ms, &err);
    return status == RF_OK ? "resolved" : err.text[0] ? err.text : rf_status_text(status);
}

#define RESOLVE(fixture, bytes, now_ms) resolve(fixture, bytes, sizeof(bytes) - 1, now_ms, 0)
#define RESOLVE_KNOWN(fixture, bytes) resolve(fixture, bytes, sizeof(bytes) - 1, 0, RF_RESOLVE_KNOWN)

static struct rf_registry *listed_registry(void) {
    static struct rf_registry_options options;
    options = (struct rf_registry_options){.url = (char[]){"http://registry"}, .ids = 4};
    struct rf_http *http = calloc(1, sizeof *http);
    struct rf_registry *registry;
    struct rf_error err;
    http->ops = &http_ops;
    assert_int_equal(rf_registry_create(&options, false, http, NULL, &registry, &err), RF_OK);
    asked = 0;
    return registry;
}

static void each_schema_id_has_its_decoder(void **state) {
    (void)state;
    struct rf_registry *registry = listed_registry();
    struct decode_fixture fixture = framed(&kind, registry);
    assert_string_equal(RESOLVE(&fixture, "\0\0\0\0\7", 0), "resolved");
    assert_string_equal(RESOLVE(&fixture, "\0\0\0\0\7", 0), "resolved");
    assert_int_equal(asked, 1);
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\7{\"amount\": 1}"), "amount=1");
    assert_string_equal(RESOLVE(&fixture, "\1 no head", 0), "resolved"); // and rejected
    assert_string_equal(RESOLVE(&fixture, "\0\xff\xff\xff\xff", 0), "resolved");
    assert_int_equal(asked, 1);
    assert_string_equal(RESOLVE(&fixture, "\0\0\0\0\x8", 0), "resolved");
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\x8{\"amount\": 1}"),
                        "undecodable: schema id 8: the schema is \"bad\", must be good");
    assert_string_equal(RESOLVE(&fixture, "\0\0\0\0\x9", 0), "resolved");
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\x9{\"amount\": 1}"),
                        "undecodable: schema id 9 is of the type JSON, must be AVRO");
    assert_int_equal(asked, 3);
    assert_string_equal(RESOLVE(&fixture, "\0\0\0\1\1", 0), "nothing yet"); // it is asked for once more, later
    assert_string_equal(RESOLVE(&fixture, "\0\0\0\1\1", 1), "nothing yet");
    assert_int_equal(asked, 4);
    assert_string_equal(RESOLVE(&fixture, "\0\0\0\1\1", 1000), "resolved");
    assert_int_equal(asked, 5);
    assert_string_equal(DECODE(&fixture, "\0\0\0\1\1{}"), "undecodable: schema id 257 is not known to the schema registry");
    assert_string_equal(RESOLVE(&fixture, "\0\0\0\0\6", 1000),
                        "schema id 6 is one more than the 4 that are kept, ids must be larger"); // it waits
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\6{}"), "undecodable: schema id 6 was not looked up");
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\7{\"amount\": 2}"), "amount=2");
    assert_int_equal(asked, 5);
    fixture_finish(&fixture);
    rf_registry_destroy(registry);
}

static void a_decoder_of_another_thread_asks_nobody(void **state) {
    (void)state;
    struct rf_registry *registry = listed_registry();
    struct decode_fixture source = framed(&kind, registry), fold = framed(&kind, registry);
    assert_string_equal(RESOLVE_KNOWN(&fold, "\0\0\0\0\7"), "schema id 7 was not looked up");
    assert_int_equal(asked, 0);
    assert_string_equal(RESOLVE(&source, "\0\0\0\0\7", 0), "resolved");
    assert_string_equal(RESOLVE_KNOWN(&fold, "\0\0\0\0\7"), "resolved");
    assert_string_equal(DECODE(&fold, "\0\0\0\0\7{\"amount\": 1}"), "amount=1");
    assert_int_equal(asked, 1);
    fixture_finish(&source);
    fixture_finish(&fold);
    rf_registry_destroy(registry);
}

// Protobuf: of each schema the file is {message {message {}} message {}}.

static int compiled;

static enum rf_status create_message(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                     const struct rf_registered *registered, const uint32_t *indexes, size_t index_count,
                                     struct rf_decoder **decoder_out, struct rf_error *err) {
    (void)registered;
    (void)indexes;
    assert_int_not_equal(index_count, 0);
    compiled++;
    return rf_decoder_json_create(schema, options, decoder_out, err);
}

static void nothing_is_kept_for_messages_that_are_not_there(void **state) {
    (void)state;
    static const struct rf_decoder_kind protobuf = {.name = "made",
                                                    .create = rf_decoder_json_create,
                                                    .registry_type = "PROTOBUF",
                                                    .has_message_indexes = true,
                                                    .create_registered = create_message};
    struct rf_registry *registry = listed_registry();
    struct decode_fixture fixture = framed(&protobuf, registry);
    assert_string_equal(RESOLVE(&fixture, "\0\0\0\0\5\0", 0), "resolved");
    assert_string_equal(RESOLVE(&fixture, "\0\0\0\0\5\4\0\0", 0), "resolved");
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\5\0{\"amount\": 1}"), "amount=1");
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\5\4\0\0{\"amount\": 2}"), "amount=2");
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\5\2\2{}"), "undecodable: schema id 5 was not looked up");
    assert_int_equal(compiled, 2);
    for (uint32_t i = 2; i < 100000; i++) { // more than there was ever room for
        uint32_t index = 2 * i;
        char bytes[] = {0, 0, 0, 0, 5, 2, (char)(index | 0x80), (char)(index >> 7 | 0x80), (char)(index >> 14)};
        assert_string_equal(resolve(&fixture, bytes, sizeof bytes, 0, 0), "resolved");
    }
    assert_string_equal(RESOLVE(&fixture, "\0\0\0\0\5\2\2", 0), "resolved");
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\5\2\2{\"amount\": 3}"), "amount=3");
    assert_int_equal(compiled, 3);
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\5\2\4{}"), "undecodable: schema id 5 has no message 2: its file holds 2");
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\5\6\0\0\6{}"),
                        "undecodable: schema id 5 has no message 0.0.3: message 0.0 holds 0");
    assert_string_equal(RESOLVE(&fixture, "\0\0\0\0\4\0", 0), "resolved");
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\4\0{}"), "undecodable: schema id 4: is no descriptor of a file");
    assert_string_equal(RESOLVE(&fixture, "\0\0\0\0\7\2\0", 0), "resolved");
    assert_string_equal(DECODE(&fixture, "\0\0\0\0\7\2\0{}"), "undecodable: schema id 7 is of the type AVRO, must be PROTOBUF");
    assert_int_equal(compiled, 3);
    assert_int_equal(asked, 3);
    fixture_finish(&fixture);
    rf_registry_destroy(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(json_behind_a_schema_id_is_json),
            cmocka_unit_test(what_does_not_begin_with_a_schema_id_is_rejected),
            cmocka_unit_test(message_indexes_are_read_as_the_serialisers_write_them),
            cmocka_unit_test(message_indexes_that_cannot_be_are_rejected),
            cmocka_unit_test(each_schema_id_has_its_decoder),
            cmocka_unit_test(a_decoder_of_another_thread_asks_nobody),
            cmocka_unit_test(nothing_is_kept_for_messages_that_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
