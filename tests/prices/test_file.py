import pytest

from loyalty.core.errors import Invalid, InvalidFile, Unavailable
from loyalty.core.facts import PricePoint
from loyalty.core.spans import Span
from loyalty.prices.file import FileSource

EVERYTHING = Span(0, 10**11)


@pytest.fixture
def price_file(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "prices.csv"
        path.write_bytes(text.encode(encoding))
        return FileSource(path, 8, "tBTC")

    return write


def faults_of(source):
    with pytest.raises(InvalidFile) as refusal:
        source.points(EVERYTHING, 0)
    return list(refusal.value.faults)


def test_every_row_is_a_point_in_unix_seconds_or_rfc_3339(price_file):
    source = price_file(
        "time,usd\n1725840000,54000.5\n2024-09-09T00:30:00Z,54001\n2024-09-09T03:00:00+02:00,54002.25\n"
    )
    assert source.points(EVERYTHING, 9) == [
        PricePoint(1_725_840_000, 5_400_050_000_000, "file", 9),
        PricePoint(1_725_841_800, 5_400_100_000_000, "file", 9),
        PricePoint(1_725_843_600, 5_400_225_000_000, "file", 9),
    ]


def test_only_rows_of_the_half_open_span_are_given_and_in_order(price_file):
    source = price_file("time,usd\n300,3\n100,1\n200,2\n")
    assert [point.valid_time for point in source.points(Span(100, 300), 0)] == [100, 200]


def test_the_file_is_read_again_at_each_call(tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text("time,usd\n100,1\n")
    source = FileSource(path, 8, "tBTC")
    assert len(source.points(EVERYTHING, 0)) == 1
    path.write_text("time,usd\n100,1\n200,2\n")
    assert len(source.points(EVERYTHING, 0)) == 2


def test_blank_lines_a_byte_order_mark_and_windows_line_ends_are_fine(price_file):
    source = price_file("\ufefftime,usd\r\n\r\n100,1\r\n")
    assert [point.price for point in source.points(EVERYTHING, 0)] == [100_000_000]


def test_a_row_told_twice_is_one_point(price_file):
    assert len(price_file("time,usd\n100,1\n100,1.00\n").points(EVERYTHING, 0)) == 1


def test_all_faults_are_told_at_once_with_their_lines(price_file):
    source = price_file(
        "time,usd\n100,1\n100,2\nyesterday,1\n300,-1\n400,0\n500,NaN\n600,one\n700\n1725840000000,5\n800,0.000000001\n"
    )
    assert faults_of(source) == [
        "line 3: another price for 1970-01-01T00:01:40Z than line 2",
        "line 4: 'yesterday' is not a time: expected RFC 3339 such as 2024-09-09T00:00:00Z",
        "line 5: -1 is no price; a price is a number of dollars above 0, such as 1.25",
        "line 6: 0 is no price; a price is a number of dollars above 0, such as 1.25",
        "line 7: 'NaN' is not a price; expected a number above 0 such as 1.25",
        "line 8: 'one' is not a price; expected a number above 0 such as 1.25",
        "line 9: 1 columns; expected time,usd",
        "line 10: '1725840000000' is not a time in unix seconds; divide milliseconds by 1000",
        "line 11: 1E-9 USD cannot be held to one part in a million with price_decimals = 8; "
        "set price_decimals = 15 or more for this token in the program file",
    ]


def test_the_error_names_the_file_and_the_token(price_file, tmp_path):
    with pytest.raises(Invalid, match=f"the price file {tmp_path}/prices.csv of tBTC has 1 fault"):
        price_file("time,usd\n100,inf\n").points(EVERYTHING, 0)


@pytest.mark.parametrize("text", ["", "100,1\n", "date,price\n100,1\n"])
def test_a_file_without_its_header_is_refused(price_file, text):
    (fault,) = faults_of(price_file(text))
    assert fault.startswith("line 1: read ")
    assert fault.endswith("expected the columns time,usd")


def test_a_file_that_is_not_utf_8_is_refused(price_file):
    (fault,) = faults_of(price_file("time,usd\n100,1€\n", "cp1252"))
    assert fault == "byte 14: not UTF-8 text; save it as a UTF-8 CSV file"


def test_a_cell_that_csv_cannot_hold_is_a_fault_not_a_crash(price_file):
    (fault,) = faults_of(price_file("time,usd\n100," + "1" * 200_000 + "\n"))
    assert fault.startswith("line 2: not CSV")


def test_a_file_that_is_not_there_says_which_and_what_to_do(tmp_path):
    with pytest.raises(Unavailable, match=r"nothing\.csv of tBTC cannot be read: No such file or directory; check the"):
        FileSource(tmp_path / "nothing.csv", 8, "tBTC").points(EVERYTHING, 0)
