#include "ingest/registered_protobuf.h"

#include "ingest/descriptors.h"
#include "tests/ingest/decode_fixture.h"

#include <stdio.h>
#include <stdlib.h>

// shop.proto: package shop; message Other {} message Outer { message Ignored {} message Order { double amount = 1; } }
// The set holds common.proto before it.
static size_t pack(uint8_t *to, bool is_set) {
    Google__Protobuf__FieldDescriptorProto amount = GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__INIT;
    amount.name = (char[]){"amount"};
    amount.number = 1;
    amount.has_number = amount.has_type = amount.has_label = 1;
    amount.type = GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_DOUBLE;
    amount.label = GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__LABEL__LABEL_OPTIONAL;
    Google__Protobuf__DescriptorProto order = GOOGLE__PROTOBUF__DESCRIPTOR_PROTO__INIT, other = order, outer = order,
                                      ignored = order, common = order;
    order.name = (char[]){"Order"};
    order.n_field = 1;
    order.field = (Google__Protobuf__FieldDescriptorProto *[]){&amount};
    other.name = (char[]){"Other"};
    ignored.name = (char[]){"Ignored"};
    outer.name = (char[]){"Outer"};
    outer.n_nested_type = 2;
    outer.nested_type = (Google__Protobuf__DescriptorProto *[]){&ignored, &order};
    common.name = (char[]){"Common"};
    Google__Protobuf__FileDescriptorProto shop = GOOGLE__PROTOBUF__FILE_DESCRIPTOR_PROTO__INIT, base = shop;
    shop.package = (char[]){"shop"};
    shop.syntax = (char[]){"proto3"};
    shop.n_message_type = 2;
    shop.message_type = (Google__Protobuf__DescriptorProto *[]){&other, &outer};
    base.n_message_type = 1;
    base.message_type = (Google__Protobuf__DescriptorProto *[]){&common};
    Google__Protobuf__FileDescriptorSet set = GOOGLE__PROTOBUF__FILE_DESCRIPTOR_SET__INIT;
    set.n_file = 2;
    set.file = (Google__Protobuf__FileDescriptorProto *[]){&base, &shop};
    return is_set ? google__protobuf__file_descriptor_set__pack(&set, to)
                  : google__protobuf__file_descriptor_proto__pack(&shop, to);
}

static char *base64(const uint8_t *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = calloc(1, size / 3 * 4 + 8), *to = text;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits =
                (uint32_t)bytes[i] << 16 | (i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0) | (i + 2 < size ? bytes[i + 2] : 0);
        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        *to++ = i + 1 < size ? digits[bits >> 6 & 63] : '=';
        *to++ = i + 2 < size ? digits[bits & 63] : '=';
    }
    return text;
}

// The name of the message in that place, or what is wrong.
static const char *name_of(const struct rf_registered *registered, const uint32_t *indexes, size_t count) {
    static char words[RF_ERROR_TEXT_SIZE];
    struct rf_registered_message message;
    struct rf_error err;
    if (rf_registered_message(registered, indexes, count, &message, &err)) {
        snprintf(words, sizeof words, "%s", err.text);
    } else {
        snprintf(words, sizeof words, "%s", message.name);
        rf_registered_message_finish(&message);
    }
    return words;
}

#define NAME(registered, ...) \
    name_of(registered, (const uint32_t[]){__VA_ARGS__}, sizeof(const uint32_t[]){__VA_ARGS__} / sizeof(uint32_t))

static void message_indexes_name_a_message_of_the_file(void **state) {
    (void)state;
    uint8_t bytes[1024];
    char *text = base64(bytes, pack(bytes, false));
    struct rf_registered_schema schemas[] = {{(char[]){"empty.proto"}, (char[]){"GgA="}}, {(char[]){""}, text}};
    struct rf_registered registered = {.id = 1, .type = (char[]){"PROTOBUF"}, .schemas = schemas, .count = 2};
    assert_string_equal(NAME(&registered, 0), "shop.Other");
    assert_string_equal(NAME(&registered, 1), "shop.Outer");
    assert_string_equal(NAME(&registered, 1, 1), "shop.Outer.Order");
    assert_string_equal(NAME(&registered, 2), "has no message 2: the file holds 2");
    assert_string_equal(NAME(&registered, 1, 2), "has no message 1.2: shop.Outer holds 2");
    assert_string_equal(NAME(&registered, 1, 1, 4294967295u), "has no message 1.1.4294967295: shop.Outer.Order holds 0");
    schemas[1].text = (char[]){"/////w=="};
    assert_string_equal(NAME(&registered, 0),
                        "the descriptors are 10 bytes that are no such set, must be what protoc --descriptor_set_out writes");
    schemas[1].text = (char[]){"syntax"};
    assert_string_equal(NAME(&registered, 0), "is not kept as a descriptor");
    free(text);
}

static void a_message_of_the_descriptors_has_indexes(void **state) {
    (void)state;
    uint8_t bytes[1024];
    struct rf_text set = {(const char *)bytes, pack(bytes, true)};
    uint32_t indexes[RF_CONFLUENT_INDEXES_MAX];
    size_t count;
    struct rf_error err;
    assert_int_equal(rf_message_indexes(set, "shop.Outer.Order", indexes, &count, &err), RF_OK);
    assert_int_equal(count, 2);
    assert_int_equal(indexes[0], 1);
    assert_int_equal(indexes[1], 1);
    assert_int_equal(rf_message_indexes(set, ".shop.Other", indexes, &count, &err), RF_OK);
    assert_int_equal(count, 1);
    assert_int_equal(indexes[0], 0);
    assert_int_equal(rf_message_indexes(set, "Common", indexes, &count, &err), RF_OK);
    static const char *const none[] = {"Other", "shop.Order", "shop.Outer.Order.More", "shop", "shop.", "shop.Oute"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(rf_message_indexes(set, none[i], indexes, &count, &err), RF_INVALID);
    }
    assert_string_equal(err.text, "message shop.Oute has no place in a file of the descriptors");
}

// A set of one file, message within message; what is freed.
static struct rf_text nest(size_t depth) {
    enum { HEAD_MAX = 6 };
    size_t capacity = HEAD_MAX * (depth + 2);
    char *bytes = malloc(capacity), *at = bytes + capacity; // from the innermost, so from the end
    for (size_t i = 0; i < depth + 2; i++) {
        size_t size = (size_t)(bytes + capacity - at);
        char head[HEAD_MAX] = {(char)((i == depth + 1 ? 1 : i == depth ? 4 : 3) << 3 | 2)};
        size_t head_size = 1;
        for (; size >= 0x80; size >>= 7) {
            head[head_size++] = (char)(size | 0x80);
        }
        head[head_size++] = (char)size;
        at -= head_size;
        memcpy(at, head, head_size);
    }
    size_t size = (size_t)(bytes + capacity - at);
    memmove(bytes, at, size);
    return (struct rf_text){bytes, size};
}

static void messages_are_declared_within_at_most_64_others(void **state) {
    (void)state;
    static const char sentence[] = "the descriptors have a message that is declared within more than 64 others";
    static const size_t depths[] = {0, 64, 65, 20000, 200000};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        struct rf_text set = nest(depths[i]);
        Google__Protobuf__FileDescriptorSet *unpacked;
        struct rf_error err = {.text = ""};
        uint32_t indexes[RF_CONFLUENT_INDEXES_MAX];
        size_t count;
        enum rf_status status = rf_descriptors_unpack(set, &unpacked, &err);
        assert_int_equal(status, depths[i] > 64 ? RF_INVALID : RF_OK);
        if (!status) {
            google__protobuf__file_descriptor_set__free_unpacked(unpacked, NULL);
        }
        assert_string_equal(err.text, depths[i] > 64 ? sentence : "");
        assert_int_equal(rf_message_indexes(set, "shop.Order", indexes, &count, &err), RF_INVALID);
        size_t head_size = set.data[1] & 0x80 ? (set.data[2] & 0x80 ? (set.data[3] & 0x80 ? 4 + 1 : 4) : 3) : 2;
        char *text = base64((const uint8_t *)set.data + head_size, set.size - head_size);
        struct rf_registered_schema schema = {(char[]){""}, text};
        struct rf_registered registered = {.id = 1, .type = (char[]){"PROTOBUF"}, .schemas = &schema, .count = 1};
        assert_string_equal(NAME(&registered, 0), depths[i] > 64 ? sentence : "");
        free(text);
        free((char *)set.data);
    }
}

// Without a registry.
static void a_record_must_be_the_message_that_the_settings_name(void **state) {
    (void)state;
    uint8_t bytes[1024];
    struct rf_feature_options features = {.numbers = TEXTS("amount")};
    struct rf_decoder_options options = {.framing = RF_FRAMING_CONFLUENT,
                                         .protobuf_message = "shop.Outer.Order",
                                         .protobuf_descriptors = {(const char *)bytes, pack(bytes, true)}};
    struct decode_fixture fixture = {0};
    struct rf_error err;
    assert_int_equal(rf_schema_create(&features, rf_hash_key_of_seed(1), &fixture.schema, &err), RF_OK);
    assert_int_equal(rf_decoder_create(rf_decoder_find("protobuf"), fixture.schema, &options, &fixture.decoder, &err), RF_OK);
    assert_int_equal(rf_arena_init(&fixture.arena, 1 << 20, &err), RF_OK);
    assert_string_equal(fixture_decode(&fixture, "\0\0\0\0\1\4\2\2\x09\0\0\0\0\0\0\x28\x40", 17), "amount=12");
    assert_string_equal(fixture_decode(&fixture, "\0\0\0\0\1\4\2\2", 8), "amount=0"); // a message of proto3 without a byte
    assert_string_equal(fixture_decode(&fixture, "\0\0\0\0\1\0", 6),
                        "undecodable: is message 0 of its file, must be 1.1, which source.protobuf names");
    assert_string_equal(fixture_decode(&fixture, "\0\0\0\0\1\2\2", 7),
                        "undecodable: is message 1 of its file, must be 1.1, which source.protobuf names");
    fixture_finish(&fixture);
}

static void the_message_without_settings_is_the_first_one(void **state) {
    (void)state;
    struct rf_feature_options features = {.id = (char[]){"id"}};
    struct rf_decoder_options options = {.framing = RF_FRAMING_CONFLUENT};
    struct decode_fixture fixture = {0};
    struct rf_error err;
    assert_int_equal(rf_schema_create(&features, rf_hash_key_of_seed(1), &fixture.schema, &err), RF_OK);
    assert_int_equal(rf_decoder_create(rf_decoder_find("protobuf"), fixture.schema, &options, &fixture.decoder, &err), RF_OK);
    assert_int_equal(rf_arena_init(&fixture.arena, 1 << 20, &err), RF_OK);
    assert_string_equal(fixture_decode(&fixture, "\0\0\0\0\1\2\0\x0a\1x", 10), "id=\"x\"");
    fixture_finish(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(message_indexes_name_a_message_of_the_file),
            cmocka_unit_test(messages_are_declared_within_at_most_64_others),
            cmocka_unit_test(a_message_of_the_descriptors_has_indexes),
            cmocka_unit_test(a_record_must_be_the_message_that_the_settings_name),
            cmocka_unit_test(the_message_without_settings_is_the_first_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
