"""Small real documents, made as the formats say."""

import io
import zipfile
from collections.abc import Callable, Sequence

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">'
    "<dc:title>The plan</dc:title><dc:creator>Ada</dc:creator>"
    "<dcterms:created>2024-05-01T08:00:00Z</dcterms:created></cp:coreProperties>"
)


def paragraph(text: str, style: str = "") -> str:
    kind = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{kind}<w:r><w:t>{text}</w:t></w:r></w:p>"


@pytest.fixture(scope="session")
def make_docx() -> Callable[..., bytes]:
    """Word documents: paragraphs as (text, heading or not), further parts of the archive by name."""

    def make(paragraphs: Sequence[tuple[str, bool]], body: str = "", **parts: str) -> bytes:
        words = "".join(
            paragraph(text, "berschrift1" if is_heading else "") for text, is_heading in paragraphs
        )
        held = {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
            "_rels/.rels": f'<Relationships xmlns="{RELS}"><Relationship Id="r1" Type="{MAIN}" '
            'Target="word/document.xml"/></Relationships>',
            "word/document.xml": f'<w:document xmlns:w="{W}"><w:body>{words}{body}</w:body></w:document>',
            "word/styles.xml": f'<w:styles xmlns:w="{W}"><w:style w:type="paragraph" w:styleId="berschrift1">'
            '<w:name w:val="heading 1"/></w:style></w:styles>',
            "docProps/core.xml": CORE,
            **{f"word/{name}.xml": words for name, words in parts.items()},
        }
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, part in held.items():
                archive.writestr(name, part)
        return file.getvalue()

    return make


@pytest.fixture(scope="session")
def make_pdf() -> Callable[..., bytes]:
    """PDF files: the lines of each page, titles of the outline with their pages, a password."""

    def make(
        pages: Sequence[Sequence[str]], outline: Sequence[tuple[str, int]] = (), password: str = ""
    ) -> bytes:
        writer = PdfWriter()
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
        for lines in pages:
            page = writer.add_blank_page(600, 800)
            page[NameObject("/Resources")] = DictionaryObject(
                {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
            )
            stream = DecodedStreamObject()
            told = "".join(f"({line}) Tj 0 -14 Td " for line in lines)
            stream.set_data(f"BT /F1 12 Tf 50 750 Td {told} ET".encode("latin-1"))
            page[NameObject("/Contents")] = stream
        for title, number in outline:
            writer.add_outline_item(title=title, page_number=number)
        writer.add_metadata({"/Title": "A report", "/Author": "Ada"})
        if password:
            writer.encrypt(password, algorithm="AES-256")
        file = io.BytesIO()
        writer.write(file)
        return file.getvalue()

    return make
