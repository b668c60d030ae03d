"""Why a record of a file is put aside: the codes that stand in the quarantine, and what they mean."""

from enum import StrEnum


class Reason(StrEnum):
    """A code; of several that apply to a record the first one found is told."""

    BAD_ENCODING = "bad_encoding"
    CONTROL_CHARACTER = "control_character"
    LINE_TOO_LONG = "line_too_long"
    UNCLOSED_QUOTE = "unclosed_quote"
    STRAY_QUOTE = "stray_quote"
    RAGGED_LINE = "ragged_line"
    BAD_JSON = "bad_json"
    NOT_AN_OBJECT = "not_an_object"
    DUPLICATE_KEY = "duplicate_key"
    NESTED_VALUE = "nested_value"
    MISSING_VALUE = "missing_value"
    BAD_DATE = "bad_date"
    BAD_NUMBER = "bad_number"
    DECIMAL_COMMA = "decimal_comma"
    TOO_MANY_DECIMALS = "too_many_decimals"
    TOO_LARGE = "too_large"
    NEGATIVE_QUANTITY = "negative_quantity"
    NEGATIVE_AMOUNT = "negative_amount"
    OUT_OF_RANGE = "out_of_range"
    TOTAL_MISMATCH = "total_mismatch"
    CONFLICTING_ID = "conflicting_id"


MEANINGS = {
    Reason.BAD_ENCODING: "it is not UTF-8",
    Reason.CONTROL_CHARACTER: "it holds a control character, such as NUL",
    Reason.LINE_TOO_LONG: "it is longer than a mebibyte",
    Reason.UNCLOSED_QUOTE: "a quoted value that begins on this line does not end properly",
    Reason.STRAY_QUOTE: 'a quote stands where none may be; inside a quoted value it is written ""',
    Reason.RAGGED_LINE: "it has more or fewer values than the header",
    Reason.BAD_JSON: "it is not JSON",
    Reason.NOT_AN_OBJECT: "it is JSON, but not an object",
    Reason.DUPLICATE_KEY: "the object names a column twice",
    Reason.NESTED_VALUE: "the value is a list, an object, true or false",
    Reason.MISSING_VALUE: "a column that needs a value has none",
    Reason.BAD_DATE: "no date, or none of the form 2024-05-31, with a time or without",
    Reason.BAD_NUMBER: "no number of digits and a decimal point",
    Reason.DECIMAL_COMMA: "the number has a comma in it",
    Reason.TOO_MANY_DECIMALS: "the number has more decimals than the column",
    Reason.TOO_LARGE: "the number has more digits than the column",
    Reason.NEGATIVE_QUANTITY: "the quantity is negative",
    Reason.NEGATIVE_AMOUNT: "the price or amount is negative",
    Reason.OUT_OF_RANGE: "the date is before the first month or after the last one that is configured",
    Reason.TOTAL_MISMATCH: "the total is not quantity times unit price to the cent",
    Reason.CONFLICTING_ID: "another record of this file has the same key and other values",
}
