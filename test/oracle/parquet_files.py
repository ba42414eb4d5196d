"""Writes the Parquet files of test/fixtures/parquet with pyarrow, the same three rows in every compression and others to be refused.

Run by hand where pyarrow is installed: python3 test/oracle/parquet_files.py test/fixtures/parquet
"""

import base64
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

folder = Path(sys.argv[1])
people = pa.table(
    {
        "prompt": ["Ada Moss lives in", 'Ben "B" Lark\nlives in', "Zoë 日本 lives in"],
        "continuation": ["Oslo", "Rome", "Oslo"],
        "options": pa.array([["Oslo", "Rome"], ["Rome"], None], pa.list_(pa.string())),
        "id": pa.array([1, 2, 3], pa.int64()),
    }
)


class Keys(pe.KmsClient):
    """Keeps keys as they are: what matters is that the files are encrypted."""

    def __init__(self, _connection):
        pe.KmsClient.__init__(self)

    def wrap_key(self, key, _name):
        return base64.b64encode(key)

    def unwrap_key(self, key, _name):
        return base64.b64decode(key)


def write_encrypted(name, plaintext_footer):
    table = people.select(["prompt", "continuation"])
    configuration = pe.EncryptionConfiguration(
        footer_key="footer", column_keys={"column": ["continuation"]}, plaintext_footer=plaintext_footer
    )
    properties = pe.CryptoFactory(Keys).file_encryption_properties(pe.KmsConnectionConfig(), configuration)
    with pq.ParquetWriter(folder / name, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)


for codec in ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]:
    pq.write_table(people, folder / f"people-{codec}.parquet", compression=codec)
pq.write_table(people, folder / "people-v2.parquet", data_page_version="2.0", compression="zstd")
pq.write_table(people, folder / "people-plain.parquet", use_dictionary=False, compression="none")
pq.write_table(people, folder / "people-groups.parquet", row_group_size=1, compression="snappy")
pq.write_table(
    pa.table({"prompt": ["a", None, "c"], "continuation": ["b", "d", "e"], "meta": [{"x": 1}, {"x": 2}, None]}),
    folder / "nulls.parquet",
)
pq.write_table(pa.table({"prompt": pa.array([], pa.string()), "answer": pa.array([], pa.string())}), folder / "empty.parquet")
write_encrypted("encrypted.parquet", False)
write_encrypted("encrypted-columns.parquet", True)
