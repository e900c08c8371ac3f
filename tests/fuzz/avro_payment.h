#ifndef RF_TESTS_FUZZ_AVRO_PAYMENT_H
#define RF_TESTS_FUZZ_AVRO_PAYMENT_H
// A schema with every type, several logical ones, and a record that holds itself.
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define LOGICAL(type, logical) "{\"type\":\"" type "\",\"logicalType\":\"" logical "\"}"
static const char avro_payment
        [] = "{\"type\":\"record\",\"name\":\"shop.P\",\"fields\":[" FIELD("id", "[\"null\",\"string\",\"long\"]") "," FIELD("at", LOGICAL("long", "timestamp-micros")) "," FIELD("y", "[\"null\",\"boolean\"]") "," FIELD(
                "w",
                "\"float\"") "," FIELD("n",
                                       "\"null\"") "," FIELD("a",
                                                             "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":20,"
                                                             "\"scale\":3}") "," FIELD("d",
                                                                                       LOGICAL("int",
                                                                                               "date")) "," FIELD("e",
                                                                                                                  "{\"type\":"
                                                                                                                  "\"enum\","
                                                                                                                  "\"name\":"
                                                                                                                  "\"E\","
                                                                                                                  "\"symbols\":["
                                                                                                                  "\"A\",\"B\"]}") "," FIELD("f", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":16,\"logicalType\":\"uuid\"}") "," FIELD("b", "\"bytes\"") "," FIELD("v", "{\"type\":\"array\",\"items\":\"float\"}") "," FIELD("items", "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"I\",\"fields\":[" FIELD("sku",
                                                                                                                                                                                                                                                                                                                                                                                                                               "\"string\"") "," FIELD("price", "\"double\"") "," FIELD("nulls", "{\"type\":\"array\",\"items\":\"null\"}") "]}}") "," FIELD("attrs",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             "{\"type\":\"map\",\"values\":[\"null\",\"string\",\"double\"]}") "," FIELD("next",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         "[\"null\",\"P\"]") "]}";

#endif
