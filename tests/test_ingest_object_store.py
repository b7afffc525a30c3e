"""Files and lakes in an object store: an S3 server on loopback."""

import gzip

import pytest
from s3_server import running_server

import lake
from ingest.api import ingest
from lake.errors import InvalidInputError

pytestmark = pytest.mark.s3

FRAME = "1\nProperties=species:S:1:pos:R:3 energy={0}\nCu {0}.0 0.0 0.0\n"


@pytest.fixture(scope="module")
def options():
    pytest.importorskip("moto", reason="the extra dev is not installed")
    with running_server() as options:
        import boto3

        client = boto3.client(
            "s3",
            endpoint_url=options["aws_endpoint"],
            region_name=options["aws_region"],
            aws_access_key_id=options["aws_access_key_id"],
            aws_secret_access_key=options["aws_secret_access_key"],
        )
        client.create_bucket(Bucket="data")
        texts = {i: "".join(FRAME.format(10 * i + j) for j in range(3)) for i in range(3)}
        client.put_object(Bucket="data", Key="in/a.xyz", Body=texts[0].encode())
        client.put_object(Bucket="data", Key="in/b.xyz", Body=texts[1].encode())
        client.put_object(Bucket="data", Key="in/c.xyz.gz", Body=gzip.compress(texts[2].encode()))
        yield options


def test_objects_are_read_by_url_and_by_pattern(tmp_path, options):
    lk = lake.create(str(tmp_path / "lake"))
    report = ingest(lk, "extxyz", ["s3://data/in/a.xyz"], dataset="a", storage_options=options)
    assert report.total("rows") == 3
    report = ingest(lk, "extxyz", ["s3://data/in/*.xyz*"], dataset="all", storage_options=options)
    assert report.total("rows") == 9
    again = ingest(lk, "extxyz", ["s3://data/in/*.xyz*"], dataset="all", storage_options=options)
    assert again.version is None
    assert [source.is_unchanged for source in again.sources] == [True] * 3


def test_a_lake_in_the_store_takes_what_one_in_a_folder_takes(tmp_path, options):
    lk = lake.create("s3://data/lake", storage_options=options)
    ingest(lk, "extxyz", ["s3://data/in/*.xyz*"], dataset="all", storage_options=options)
    assert lk.sql("SELECT count(*), sum(energy) FROM labels").fetchall() == [(9, 99.0)]
    assert lk.scan("structures", dataset="all").collect().height == 9
    assert lk.at(0).sql("SELECT count(*) FROM labels").fetchall() == [(0,)]


def test_an_object_that_is_not_there_is_the_users_error(tmp_path, options):
    lk = lake.create(str(tmp_path / "lake"))
    with pytest.raises(InvalidInputError, match="no object has this name"):
        ingest(lk, "extxyz", ["s3://data/in/z.xyz"], dataset="a", storage_options=options)
