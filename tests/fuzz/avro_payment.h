#ifndef RF_TESTS_FUZZ_AVRO_PAYMENT_H
#define RF_TESTS_FUZZ_AVRO_PAYMENT_H
// A schema with every type, several logical ones, and a record that holds itself.
static const char avro_payment[] =
        "{\"type\":\"record\",\"name\":\"shop.P\",\"fields\":["
        "{\"name\":\"id\",\"type\":[\"null\",\"string\",\"long\"]},"
        "{\"name\":\"at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}},"
        "{\"name\":\"y\",\"type\":[\"null\",\"boolean\"]},"
        "{\"name\":\"w\",\"type\":\"float\"},"
        "{\"name\":\"n\",\"type\":\"null\"},"
        "{\"name\":\"a\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":20,\"scale\":3}},"
        "{\"name\":\"d\",\"type\":{\"type\":\"int\",\"logicalType\":\"date\"}},"
        "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}},"
        "{\"name\":\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":16,\"logicalType\":\"uuid\"}},"
        "{\"name\":\"b\",\"type\":\"bytes\"},"
        "{\"name\":\"v\",\"type\":{\"type\":\"array\",\"items\":\"float\"}},"
        "{\"name\":\"items\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"I\",\"fields\":["
        "{\"name\":\"sku\",\"type\":\"string\"},"
        "{\"name\":\"price\",\"type\":\"double\"},"
        "{\"name\":\"nulls\",\"type\":{\"type\":\"array\",\"items\":\"null\"}}"
        "]}}},"
        "{\"name\":\"attrs\",\"type\":{\"type\":\"map\",\"values\":[\"null\",\"string\",\"double\"]}},"
        "{\"name\":\"next\",\"type\":[\"null\",\"P\"]}"
        "]}";

#endif
