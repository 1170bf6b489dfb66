"""`make schema`: what is made from the words, for editors and for readers."""

from charter import reference, schema

for part in (schema, reference):
    part.PLACE.write_text(part.text(), encoding="utf-8")
    print(part.PLACE)
