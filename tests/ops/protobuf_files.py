"""Writes the same orders as messages of orders.proto and as riffle.v1.Example, each behind its size.

    protobuf_files.py SOURCE_ROOT FOLDER COUNT
"""
import os
import random
import subprocess
import sys

from google.protobuf.internal.encoder import _VarintBytes as varint


def write(file, message):
    data = message.SerializeToString()
    file.write(varint(len(data)) + data)


def main():
    root, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    orders, proto = os.path.join(root, "tests/ops"), os.path.join(root, "proto")
    subprocess.run(["protoc", f"--python_out={folder}", f"-I{orders}", f"-I{proto}", "orders.proto", "riffle.proto"], check=True)
    subprocess.run(["protoc", "--include_imports", f"--descriptor_set_out={folder}/orders.desc", f"-I{orders}", "orders.proto"],
                   check=True)
    sys.dont_write_bytecode = True
    sys.path.insert(0, folder)
    import orders_pb2
    import riffle_pb2

    pick = random.Random(2)
    with open(f"{folder}/orders.pb", "wb") as own, open(f"{folder}/examples.pb", "wb") as examples:
        for i in range(count):
            order = orders_pb2.Order(number=2**60 + i, channel=pick.randrange(3))
            order.placed.FromMilliseconds(1522540800000 + 1000 * i)
            order.items.add(sku=f"s{pick.randrange(20)}", price=round(pick.random() * 90, 2))
            order.items.add(sku="ignored")
            if pick.random() < 0.5:
                order.attributes["colour"] = pick.choice(["red", "blue"])
            order.attributes["other"] = "x"
            order.returned = order.channel == 1 and order.attributes.get("colour") != "red"
            write(own, order)

            example = riffle_pb2.Example(id=str(order.number), time_ms=order.placed.ToMilliseconds(), label=order.returned)
            example.categories.add(name="items.0.sku", value=order.items[0].sku)  # in the order of orders.proto
            example.categories.add(name="channel", value=orders_pb2.Channel.Name(order.channel))
            example.numbers.add(name="items.0.price", value=order.items[0].price)
            if "colour" in order.attributes:
                example.categories.add(name="attributes.colour", value=order.attributes["colour"])
            write(examples, example)


main()
