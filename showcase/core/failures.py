"""Why a file could not be shown, in sentences an artist understands.

`MediaError(code, **params)` is stored with the asset; the page translates `FAILURES[code]` and fills in `params`.
Each sentence says what is wrong and what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping


def N_(message: str) -> str:
    """Mark `message` for the translation catalogue; it is translated where it is shown."""
    return message


FAILURES: dict[str, str] = {
    # what the file is
    "empty": N_("The file is empty. Choose it again, or export it once more."),
    "unreadable": N_(
        "This file could not be read as picture or sound. Export it again, for example as MP4 (H.264) or WAV."
    ),
    "unknown-kind": N_(
        "We do not recognise this kind of file. Export the work as MP4, MOV or MKV, the sound as WAV or FLAC, "
        "pictures as JPEG or PNG."
    ),
    "image-kind": N_(
        "Pictures of this kind ({kind}) cannot be shown in a browser. Save it as JPEG, PNG, WebP or TIFF."
    ),
    "heic": N_("This HEIC picture could not be opened. Save it as JPEG on the phone or computer, then upload that."),
    "model": N_("This is a 3D model, not a film, sound or picture. Upload a recording of it, or add it as a model."),
    "document": N_(
        "This is a PDF document, not a film, sound or picture. Upload the work itself, or its pages as pictures."
    ),
    "archive": N_("This is a packed archive. Unpack it and upload the film, sound or picture inside."),
    "playlist": N_(
        "This file only points to other files and holds no film itself. Export the finished film into one file."
    ),
    "svg": N_("This is an SVG drawing, which may hold scripts and is not taken. Export it as PNG."),
    "web-page": N_(
        "This is a web page or text, not a film. If you saved it from a website, download the film file itself."
    ),
    "program": N_("This is a program, not a film, sound or picture. Record what it shows and upload the recording."),
    "captions-as-film": N_("These are captions. Add them on the work's page under captions, after its film."),
    # what is in it
    "nothing-to-show": N_("There is neither picture nor sound in this file. Check the export settings and try again."),
    "no-sound": N_("There is no sound in this file. Export the sound track, for example as WAV or MP3."),
    "codec": N_(
        "The picture is stored as {codec}, which we cannot decode here, or its beginning is damaged. "
        "Export it as H.264, H.265, ProRes or FFV1."
    ),
    "undecodable": N_(
        "Most of this file cannot be decoded: it is damaged, or of an unusual kind ({codec}). "
        "Export it again as MP4 (H.264), then upload that."
    ),
    "too-many-streams": N_(
        "The file has {count} tracks; at most {limit} are read. Export it with one picture and the sound you want heard."
    ),
    "picture-too-small": N_(
        "The picture is only {width} x {height} pixels. It must be at least 16 pixels high and wide."
    ),
    "picture-too-large": N_(
        "The picture has too many pixels to be processed safely. Export film at up to 8192 x 8192, "
        "pictures at up to 200 megapixels."
    ),
    "too-long": N_(
        "The work lasts {minutes} minutes; {limit} are the limit here. Upload it in parts, or ask the festival."
    ),
    "too-short": N_("The work lasts less than a frame. Check that the right file was exported."),
    # damage
    "damaged": N_(
        "The file is damaged at second {at}, and what follows cannot be read. Play your copy there: if it is fine, "
        "upload again, otherwise export again."
    ),
    "shorter-than-stated": N_(
        "The file says it lasts {stated} seconds, but there are only {found} in it. "
        "The export or copy probably broke off: export it again."
    ),
    "gap": N_(
        "After second {at} nothing follows for more than ten minutes; the times in the file cannot be right. Export it again."
    ),
    "moov-missing": N_(
        "The file's table of contents is missing, as when a recording or copy broke off. Copy it again from the camera "
        "or export it again."
    ),
    # what it costs
    "too-slow-to-read": N_("Reading this file took too long. Export it as MP4 (H.264) and upload that."),
    "too-demanding": N_(
        "Converting this file took more time or memory than one work may take. Export it smaller, for example as "
        "1080p H.264, or ask the festival."
    ),
    # what is not the file's fault
    "interrupted": N_(
        "Preparing this file was interrupted several times, which is not the file's fault. Try again; if it happens again, "
        "tell the festival."
    ),
    "no-ffmpeg": N_(
        "The program that prepares films is missing on this server, which is not the file's fault. Tell the festival."
    ),
    # captions
    "captions-empty": N_("There are no captions in this file. It needs at least one line with a time and a text."),
    "captions-too-large": N_("A caption file may have up to {limit} KB. This one is larger; is it really captions?"),
    "captions-kind": N_("This is neither WebVTT nor SRT. Export the captions as .vtt or .srt."),
    "captions-encoding": N_("The letters in this file could not be read. Save it as UTF-8 and upload it again."),
    "captions-time": N_(
        "Line {line}: “{text}” is not a time as captions need it. Write 00:01:02.500 --> 00:01:05.000."
    ),
    "captions-order": N_("Line {line}: this caption ends before it starts. Exchange the two times."),
    "captions-too-many": N_("There are more than {limit} captions in this file. Split it, or check the export."),
}


def sentence(code: str, params: Mapping[str, object]) -> str:
    """The English sentence for a failure. An unknown code, or one with a parameter missing, still says something."""
    text = FAILURES.get(code, FAILURES["unreadable"])
    try:
        return text.format_map(params)
    except (KeyError, IndexError, ValueError):
        return FAILURES["unreadable"]
