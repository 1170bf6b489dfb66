"""What people and columns of personal data are called."""

from __future__ import annotations

import re

GIVEN = tuple(
    """Aaron Abigail Adam Adrian Ahmed Aisha Albert Alejandro Alessandro Alexander Alexandra Ali Alice
    Alicia Alison Amanda Amelia Amy Ana Andrea Andreas Andrew Angela Anja Anna Anne Anthony Antonio
    Arthur Barbara Beatrice Benjamin Bernd Beth Betty Bianca Birgit Brandon Brenda Brian Bruce
    Carlos Carmen Carol Caroline Carolyn Catherine Charles Chloe Chris Christian Christina Christine
    Christopher Claire Claudia Craig Cynthia Daniel Daniela David Deborah Debra Denise Dennis Diana
    Diane Diego Dieter Donald Donna Doris Dorothy Douglas Edward Eileen Elena Elisabeth Elizabeth Ella
    Emily Emma Eric Erica Erik Ethan Eva Evelyn Fatima Felix Fernando Florian Frances Francesco Francis
    Francisco Frank Franz Frederick Fritz Gabriel Gabriela Gary George Gerald Gerhard Giovanni Giulia
    Gloria Grace Greg Gregory Hannah Hans Harald Harold Harry Heather Heidi Heike Helen Helena Helmut
    Henry Holly Howard Hugo Ian Ingrid Irene Isabel Isabella Ivan Jack Jacob Jacqueline James Jan
    Jane Janet Janice Jason Javier Jean Jeff Jeffrey Jennifer Jeremy Jessica Jill Joan Joao Joe
    Johannes John Jonas Jonathan Jorge Jose Josef Joseph Joshua Joyce Juan Judith Judy Julia Julian
    Julie Juergen Jürgen Karen Karin Karl Katharina Katherine Kathleen Kathryn Katie Keith Kelly Kenneth
    Kevin Kim Klaus Kyle Lara Larry Laura Lauren Laurent Lea Lena Leon Leonard Lisa Louis Louise Luca
    Lucas Lucia Luis Lukas Luke Manfred Manuel Marc Marco Margaret Maria Marie Mario Marion Mark Markus
    Martha Martin Martina Mary Matthew Matthias Max Megan Melanie Melissa Michael Michele Michelle
    Miguel Mike Mohamed Mohammed Monica Monika Moritz Nancy Natalie Natasha Nathan Nicholas Nicole
    Nina Noah Nora Olga Oliver Olivia Omar Oscar Pamela Patricia Patrick Paul Paula Pedro Peter
    Petra Philip Philippe Pierre Rachel Ralf Ralph Raymond Rebecca Renate Richard Robert Roberto Robin
    Roger Roland Ronald Rosa Rose Roy Russell Ruth Ryan Sabine Sally Samantha Samuel Sandra Sara
    Sarah Scott Sean Sebastian Sergio Sharon Shirley Silvia Simon Sofia Sophia Sophie Stefan Stefanie
    Stephanie Stephen Steve Steven Stuart Susan Susanne Sven Sylvia Tanja Tara Teresa Terry Theresa
    Thomas Tiffany Tim Timothy Tobias Todd Tom Tony Tracy Tyler Ursula Uwe Valentina Valerie Vanessa
    Veronica Victor Victoria Vincent Walter Wayne Wendy Werner William Wolfgang Xavier Yasmin Yusuf
    Yvonne Zachary Zoe""".split()  # noqa: SIM905  (a list of words reads as one)
)
"""Given names of several countries, without those that are more often places."""

_SURE = re.compile(
    r"(first|given|middle|last|family|maiden|sur|full|vor|nach)_?names?|nachname|vorname|e_?mails?"
    r"(_?address)?|(tele)?phone(_?(no|number))?|mobile(_?(no|number))?|fax|ssn|social_security(_?(no|"
    r"number))?|passport(_?(no|number))?|iban|credit_?card(_?(no|number))?|card_?number|dob|"
    r"(date_of_)?birth_?(date|day)?|geburtsdatum|ip(_?addr(ess)?)?|home_?address|street(_?address)?|"
    r"driv(er|ing)s?_licen[cs]e(_?(no|number))?|tax_?(id|number)|national_?id|licen[cs]e_?plate"
)
_MAYBE = re.compile(
    r"(user|customer|client|patient|person|member|employee|student|driver|passenger|subscriber|account|"
    r"policy_?holder|applicant)_?(id|no|number|name|key)|user_?name|login|names?|address|zip(_?code)?|"
    r"post(al)?_?code|plz|lat(itude)?|lon(g|gitude)?|account_?(no|number)|device_?id|signature"
)


def sure(column: str) -> bool:
    """Whether the name alone says that the column is about persons."""
    return _SURE.fullmatch(_plain(column)) is not None


def maybe(column: str) -> bool:
    """Whether the name lets one ask."""
    return _MAYBE.fullmatch(_plain(column)) is not None


def _plain(column: str) -> str:
    """`customerName`, `Customer Name` and `customer-name` as `customer_name`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column)
    return re.sub(r"\W+", "_", parted).strip("_").lower()
