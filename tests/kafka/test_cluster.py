import pytest

pytestmark = pytest.mark.kafka


async def test_x(kafka, dsn):
    print(kafka.bootstrap, dsn)


def test_three(cluster3):
    print(cluster3.bootstrap)
