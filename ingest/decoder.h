#ifndef RF_INGEST_DECODER_H
#define RF_INGEST_DECODER_H
#include "ingest/csv_dialect.h"
#include "ingest/event.h"
#include "ingest/schema.h"
#include "proto/arena.h"
#include "proto/prediction.h"
#include "proto/record.h"

// Limits on one record. Exceeding one rejects the record (RF_REASON_LIMIT), never the stream. 0: the default.
struct rf_decode_limits {
    uint64_t record_bytes; // of its value
    uint64_t field_bytes;  // of one name, text or number, as written
    uint64_t fields;       // in one record
    uint64_t depth;        // of nested objects and arrays
};
extern const struct rf_setting rf_decode_limit_settings[];

// What went wrong with one record.
struct rf_decode_error {
    enum rf_reason reason;
    char detail[RF_REJECT_DETAIL_SIZE];
};

struct rf_decoder;

// What a kind of decoder must do: a pure function of the record's bytes. A decoder belongs to one thread; it keeps
// nothing from one record to the next but scratch space.
struct rf_decoder_ops {
    const char *name;

    // Decodes `record` into `event_out`, taking memory from `arena`; fields the schema does not want may be left out,
    // but are checked all the same. RF_INVALID with `error_out` filled: reject the record. RF_FULL: the arena is used
    // up.
    enum rf_status (*decode)(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                             struct rf_event *event_out, struct rf_decode_error *error_out);

    // Sees to it that the record can be decoded: what decoding needs from outside, as the schema that the record names, is
    // fetched, for at most wait_ms, or found (RF_RESOLVE_KNOWN). May allocate. NULL: nothing is ever needed.
    enum rf_status (*resolve)(struct rf_decoder *self, const struct rf_record *record, int64_t now_ms, int wait_ms,
                              struct rf_error *err);

    void (*destroy)(struct rf_decoder *self);
};

struct rf_decoder { // embedded first in each kind
    const struct rf_decoder_ops *ops;
    const struct rf_schema *schema; // borrowed
    struct rf_decode_limits limits;
    bool takes_numeric_texts; // see ingest/numeric_text.h
    bool takes_empty;         // no bytes are a record: a message of proto3 in which all is 0
};

struct rf_decoder_options;

// For constructors: fills the base, with the default for each limit that is 0.
void rf_decoder_init(struct rf_decoder *self, const struct rf_decoder_ops *ops, const struct rf_schema *schema,
                     const struct rf_decoder_options *options);

// To be called for each record before it is decoded, once it is RF_OK with the same answer for ever. RF_AGAIN: call again with
// the same record; `err` says what is wrong where something is (else its text is left alone). Anything else ends the stream, in
// words. Of two decoders in two threads only one may ask outside: the other one waits for RF_RESOLVE_KNOWN, which takes what was
// resolved already and asks nobody.
enum { RF_RESOLVE_KNOWN = -1 };
enum rf_status rf_decoder_resolve(struct rf_decoder *self, const struct rf_record *record, int64_t now_ms, int wait_ms,
                                  struct rf_error *err) RF_MUST_USE;

// Rejects empty records, tombstones and records over limits before the kind sees them; afterwards reads the numbers in texts, for
// decoders of all kinds, where the options ask for it. The event's array of fields is
// good until the decoder's next record, its texts as long as the record and the arena.
//
// RF_INVALID with `error_out` filled: reject the record. RF_FULL: what is left of the arena is too little; decode the
// record again in the next batch, with the arena reset. In an arena of which nothing was taken that is a rejection
// (RF_REASON_LIMIT), so what becomes of a record never depends on those before it. Neither failure keeps any of the arena.
enum rf_status rf_decoder_decode(struct rf_decoder *self, const struct rf_record *record, struct rf_arena *arena,
                                 struct rf_event *event_out, struct rf_decode_error *error_out) RF_MUST_USE;
void rf_decoder_destroy(struct rf_decoder *self);

// What stands in front of the values of records.
enum rf_framing {
    RF_FRAMING_NONE,
    RF_FRAMING_CONFLUENT, // see ingest/confluent.h
};

enum rf_envelope { RF_ENVELOPE_NONE, RF_ENVELOPE_CLOUDEVENTS };

struct rf_registry;
struct rf_registered;

struct rf_decoder_options {
    struct rf_decode_limits limits;
    enum rf_framing framing;
    struct rf_registry *registry; // of schemas; borrowed; NULL: none
    struct rf_texts columns;      // CSV: the names of the columns; files may give them in their first line instead
    struct rf_csv_dialect csv;
    struct rf_pairs fields;              // beside those of the value, see ingest/record_field.h
    struct rf_text avro_schema;          // Avro: of records that come without one; data NULL: all come with theirs
    enum rf_envelope envelope;           // around the values
    const char *protobuf_message;        // the name in full of a message of the user's own; NULL: riffle.v1.Example
    struct rf_text protobuf_descriptors; // where it is described: a google.protobuf.FileDescriptorSet
    bool numeric_texts;                  // texts of fields that must be numbers are read as the numbers they spell
};

// Whether a field of the name comes from elsewhere than the value, so that no format need have a place for it.
bool rf_decoder_adds_field(const struct rf_decoder_options *options, struct rf_text name);

// Fields of a record that may be features, those from elsewhere among them: no record has more.
size_t rf_decoder_fields_max(const struct rf_decoder_options *options, const struct rf_schema *schema);

// Whether records must come with their headers (struct rf_records).
bool rf_decoder_wants_headers(const struct rf_decoder_options *options);

// The registry: one row a format.
struct rf_decoder_kind {
    const char *name, *summary;
    enum rf_status (*create)(const struct rf_schema *schema, const struct rf_decoder_options *options,
                             struct rf_decoder **decoder_out, struct rf_error *err);
    bool has_header_line; // a file's first line names the columns, see rf_decoder_csv_columns()
    bool is_container;    // a file is an Avro container file, see ingest/avro_container.h
    bool is_line_framed;  // a file holds one record a line (CSV: a quoted field may hold line ends)

    // Formats whose schemas a schema registry may hold.
    const char *registry_type; // the registry's word for them; NULL: the format needs none
    bool has_message_indexes;  // see ingest/confluent.h
    enum rf_status (*create_registered)(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                        const struct rf_registered *registered, const uint32_t *indexes, size_t index_count,
                                        struct rf_decoder **decoder_out, struct rf_error *err);
};
extern const struct rf_decoder_kind rf_decoder_kinds[];          // ends with a row without name
const struct rf_decoder_kind *rf_decoder_find(const char *name); // NULL when there is none

// The decoder of a format, for records as the options say they are.
enum rf_status rf_decoder_create(const struct rf_decoder_kind *kind, const struct rf_schema *schema,
                                 const struct rf_decoder_options *options, struct rf_decoder **decoder_out,
                                 struct rf_error *err) RF_MUST_USE;

// JSON (RFC 8259): one object a record. Its names stand once, whether they are wanted or not, and so do those of nested objects
// where they lead to a declared field. Nested objects and arrays are walked along the paths of declared fields
// (ingest/path_plan.h); what lies beside them is checked and passed over. An object where a field's value is wanted is of the
// wrong type, and every value that is taken counts as a field. The array of the vector is taken whole; its numbers are as in a
// field and do not count.
enum rf_status rf_decoder_json_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                      struct rf_decoder **decoder_out, struct rf_error *err) RF_MUST_USE;

// CSV (RFC 4180, or the dialect given): one line a record, its end optional. What a field is follows from how it is written and
// what its column is for, since quotes tell no types:
//
//     unquoted                  by its spelling (ingest/spelling.h)
//     in quotes                 by its spelling where the column is for numbers (or time, label, weight); else text
//
// A column without a name is passed over. RF_INVALID, in words, without columns, for a doubled column, and for a feature
// that no column holds.
enum rf_status rf_decoder_csv_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                     struct rf_decoder **decoder_out, struct rf_error *err) RF_MUST_USE;

// Vowpal Wabbit's text format: one line a record, for labels of one number or one word.
//
//     [label [importance [base]]] [tag]|[namespace[:scale]] [name][:value] ... |...
//
// - The last word before the first | is the tag when it touches the | or begins with an apostrophe, which is left out of it. Tag,
//   label and importance are the schema's fields of the roles id, label and weight, whatever the schema calls them, and are left
//   out where it has none. The base must be 0 or absent. A line without a label is predicted and not learned.
// - A label is the number itself for regression; -1, 0 or 1 for two classes (-1 is 0); 1 to classes for several, as Vowpal
//   Wabbit counts them; or the name of a class (see ingest/feature.h: names come first, also where they are numbers).
// - A feature's value is the number times the scale of its namespace, 1 where none is written. A value of 0 is the same as no
//   feature. name:text is a feature of the value 1, hashed from both; :value is one without a name. A feature that stands twice
//   stays two features.
// - Namespaces are the fields: those in `numbers`, `categories` or `crosses` are features, all but those in `ignore` where no
//   numbers and categories are given. The namespace without a name is called " ". A namespace may come several times. RF_INVALID,
//   in words, for one in `texts`, `buckets` or `vector`: it holds features already.
// - Blanks are spaces, and behind the first | tabs too. The line's end and a byte order mark are passed over; a line of nothing
//   else is rejected (files pass over lines without a byte).
// - What Vowpal Wabbit merely warns of is rejected: a line without |, a value that is cut, NaN and infinity.
//
// `limits.fields` is the most features of a record. Their hashes are those of ingest/feature_hash.h.
enum rf_status rf_decoder_vw_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                    struct rf_decoder **decoder_out, struct rf_error *err) RF_MUST_USE;

// The format of LIBSVM, SVMlight and their data sets: one line a record.
//
//     [label] [qid:number] index:value ... [# comment]
//
// - Features are those of the line `| index:value ...` of the format vw: the same hashes, the field " ", 0 the same as absent.
//   Indices have up to 18 digits, rise, and may begin at 0; zeros in front mean nothing.
// - A label is the number itself for regression; -1, 0 or 1 for two classes (-1 is 0); 0 to classes - 1 for several; or the name
//   of a class. Sets that count otherwise are read by naming their classes: `classes: [1, 2]`. It may be left out.
// - qid is a field of that name where the schema declares one, e.g. as a category. RF_INVALID, in words, for any other feature.
enum rf_status rf_decoder_libsvm_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                        struct rf_decoder **decoder_out, struct rf_error *err) RF_MUST_USE;

// Messages as rf_decoder_protobuf_plan_create() takes them, where the options name one. Else
// riffle.v1.Example of proto/riffle.proto. Its id, time_ms, outcome and importance are the schema's fields of those roles,
// whatever the schema calls them, and are left out where it has none; an empty id and a time of 0 are absent. Numbers and
// categories go by their names, and its vector is that of the schema's vector, an empty one absent. A number has no text, so
// it is of the wrong type for an id, a category or a free text. By protobuf's rules, what is unknown is passed over, as is what
// is written in another way than its field is, and of what stands twice the last one counts.
enum rf_status rf_decoder_protobuf_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                          struct rf_decoder **decoder_out, struct rf_error *err) RF_MUST_USE;

// Of records that are written with the schema of an id of a registry: the message of these indexes (ingest/confluent.h).
enum rf_status rf_decoder_protobuf_create_registered(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                                     const struct rf_registered *registered, const uint32_t *indexes,
                                                     size_t index_count, struct rf_decoder **decoder_out,
                                                     struct rf_error *err) RF_MUST_USE;

// Avro's binary encoding (1.11): one datum a record, as ingest/avro_plan.h reads it, written with the schema that the record
// names (struct rf_record), or else with that of the options. A record type's fields are the fields of the event; those that are
// declared may be paths into records, arrays and maps. Of a union the branch that came counts, null being null.
// RF_INVALID, in words, for what is no schema, and for a declared field that the options' schema has no value for
// (ingest/avro_names.h). That of a record is compiled when it is first met, and then kept.
enum rf_status rf_decoder_avro_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                      struct rf_decoder **decoder_out, struct rf_error *err) RF_MUST_USE;

// Of records that were written with the schema of an id of a registry.
enum rf_status rf_decoder_avro_create_registered(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                                 const struct rf_registered *registered, const uint32_t *indexes,
                                                 size_t index_count, struct rf_decoder **decoder_out,
                                                 struct rf_error *err) RF_MUST_USE;

// Messages of the user's own, by the name and the descriptors in `options`. A name is a path of the message's fields:
//
//     customer.city    a field of a message within the message
//     items.sku        of each of several messages; items.0.sku: of the first one
//     tags, tags.0     each of several scalars; the first one
//     attrs.colour     the value of the key colour in a map, whose keys must be strings; where the values are no messages,
//                      all that is behind the map's name is the key, dots and all
//
// By type, a field is:
//
//     float, double, integers    a number; integers of 64 bits that are an id or a category keep all their digits
//     bool                       a boolean
//     string                     a text
//     enum                       the name of the value, or the digits of a number that has none
//     bytes                      for an id or a category alone: two hexadecimal digits for each
//     google.protobuf.Timestamp  an event time, whatever unit the settings have; `at.seconds` is a number
//     google.protobuf.Duration   a number of seconds
//     google.protobuf.*Value     what is in it, or null
//     repeated numbers           the vector, where they are that; else several values
//
// An absent field is null, but for a proto3 scalar that is not `optional`: as protobuf has it, that is 0, "" or false; within a
// message that is absent it is null all the same. Groups, extensions and unknown fields are passed over, and what is not read is
// not looked into. Of a singular field that comes several times the last one counts, messages are merged, and of a oneof the last
// member stands. Where every field becomes a feature, those are the scalars of the message itself, but bytes.
//
// The event has its fields by their numbers, absent ones as null, then those of repeated ones as they come. RF_INVALID, in words:
// see ingest/protobuf_plan.h.
enum rf_status rf_decoder_protobuf_plan_create(const struct rf_schema *schema, const struct rf_decoder_options *options,
                                               struct rf_decoder **decoder_out, struct rf_error *err) RF_MUST_USE;

// Splits the header line of a CSV file into column names that the caller owns (free each, then the list). A byte order
// mark is passed over.
enum rf_status rf_decoder_csv_columns(struct rf_text header_line, const struct rf_csv_dialect *dialect,
                                      struct rf_texts *columns_out, struct rf_error *err) RF_MUST_USE;

#endif
