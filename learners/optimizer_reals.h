// Includes CELLS_FILE, the loops of a kind over its rows, once for float and once for double, each time with
//
//     REAL          float or double
//     COLUMN        the type of a column of it
//     CELLS(name)   the name for this type
//     CELL_MAX      what a cell may hold, in size; see also CELLS(stored)() in optimizer_kind.h
//
// No include guard, on purpose.

#define REAL float
#define COLUMN RF_F32
#define CELLS(name) name##_float
#define CELL_MAX RF_CELL_MAX_FLOAT
#include CELLS_FILE
#undef REAL
#undef COLUMN
#undef CELLS
#undef CELL_MAX

#define REAL double
#define COLUMN RF_F64
#define CELLS(name) name##_double
#define CELL_MAX RF_CELL_MAX_DOUBLE
#include CELLS_FILE
#undef REAL
#undef COLUMN
#undef CELLS
#undef CELL_MAX
