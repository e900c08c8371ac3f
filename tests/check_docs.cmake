# What the documents point to is there: relative links, and files named in backticks. cmake -DROOT=... -P check_docs.cmake
cmake_minimum_required(VERSION 3.25)

file(GLOB documents RELATIVE ${ROOT} ${ROOT}/*.md ${ROOT}/docs/*.md)
foreach(document IN LISTS documents)
    get_filename_component(folder ${ROOT}/${document} DIRECTORY)
    file(READ ${ROOT}/${document} text)
    string(REPLACE ";" "," text "${text}")
    string(REPLACE "[" "(" text "${text}") # brackets would join the members of a list
    string(REPLACE "]" ")" text "${text}")

    string(REGEX MATCHALL "\\)\\([^() ]+\\)" links "${text}")
    foreach(link IN LISTS links)
        string(REGEX REPLACE "^\\)\\(([^()#]*).*\\)$" "\\1" target "${link}")
        if(NOT target STREQUAL "" AND NOT target MATCHES "^[a-z]+:" AND NOT EXISTS ${folder}/${target})
            message(SEND_ERROR "${document}: the link to ${target} leads nowhere")
        endif()
    endforeach()

    string(REGEX MATCHALL "`(proto|ingest|learners|sinks|ops|tests|docs)/[a-z_A-Z0-9/.]+`" names "${text}")
    foreach(name IN LISTS names)
        string(REPLACE "`" "" name "${name}")
        if(NOT EXISTS ${ROOT}/${name})
            message(SEND_ERROR "${document}: there is no ${name}")
        endif()
    endforeach()
endforeach()
