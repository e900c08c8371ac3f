# libriffle-learners: proto and learners for other programs, of the objects that the program itself is made of. What begins with
# rf_ is exported; the headers below, and what they include, are public.
add_library(riffle_learners SHARED $<TARGET_OBJECTS:rf_proto> $<TARGET_OBJECTS:rf_messages> $<TARGET_OBJECTS:rf_learners> ${avx2})
set(exports ${CMAKE_CURRENT_SOURCE_DIR}/riffle-learners.map)
set_target_properties(riffle_learners PROPERTIES
    OUTPUT_NAME riffle-learners VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION} LINKER_LANGUAGE C LINK_DEPENDS ${exports})
target_link_options(riffle_learners PRIVATE LINKER:--version-script=${exports})
target_link_libraries(riffle_learners PRIVATE rf_flags PkgConfig::openblas PkgConfig::crypto PkgConfig::protobuf_c m)

set(proto_headers example hash position prediction record setting snapshot state status text)
set(learners_headers collisions combination compose evaluation learner loss optimizer options rate scale transform)
foreach(folder proto learners)
    list(TRANSFORM ${folder}_headers PREPEND ${PROJECT_SOURCE_DIR}/${folder}/)
    list(TRANSFORM ${folder}_headers APPEND .h)
    install(FILES ${${folder}_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/riffle/${folder})
endforeach()

file(RELATIVE_PATH up_from_pkgconfig ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" up_from_pkgconfig ${up_from_pkgconfig})
configure_file(riffle-learners.pc.in riffle-learners.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/riffle-learners.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(TARGETS riffle_learners)
