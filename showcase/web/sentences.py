"""The sentence for each error code, and what the product's own kinds and states are called: English, the language of the
sources. `words` says them in the language of the reader."""

from __future__ import annotations

from collections.abc import Mapping

from showcase.core.failures import N_

ERRORS: Mapping[str, str] = {
    "internal": N_("Something went wrong here. It has been noted; please try again in a moment."),
    "not-found": N_("There is nothing at this address, or it is not public."),
    "no-such-city": N_("There is no such city: {city}"),
    "no-such-person": N_("There is no such person."),
    "no-such-link": N_("This link is not known. Perhaps it was copied in part; ask for a new one."),
    "link-used": N_("This link has been used already. Ask for a new one."),
    "link-expired": N_("This link is too old. Ask for a new one."),
    "sign-in-needed": N_("Please sign in first."),
    "wrong-credentials": N_("This address and password do not belong together."),
    "forbidden": N_("You may not do this with your account."),
    "cross-site": N_("This request came from another site and was refused."),
    "csrf": N_("This form is too old. Please go back, reload the page and try again; what you typed is still there."),
    "invalid": N_("Some of what was sent cannot be taken. Please look at the fields named below."),
    "malformed": N_("This request could not be understood."),
    "conflict": N_("This cannot be done in the state it is in."),
    "changed-meanwhile": N_(
        "Somebody else changed this while you were writing. Reload to see it; your text is kept below."
    ),
    "changed-meanwhile/look": N_("Somebody else changed it meanwhile. Look at it and try again."),
    "changed-meanwhile/again": N_("The same was changed again since. Take the later change back first."),
    "wrong-state": N_("This cannot be done in the state it is in. Reload to see what changed."),
    "not-complete": N_("Some things are missing before this can be public: {missing}"),
    "last-author": N_("A work needs at least one person who may edit it."),
    "in-use": N_("This file is what the public sees. Take another version first, or withdraw the work."),
    "city-exists": N_("There is a city with this name in addresses already: {city}"),
    "own-city-needed": N_("Name at least one of your own cities: {cities}"),
    "not-ready": N_("This is not ready to be watched yet. It is being prepared; please come back in a while."),
    "not-open-yet": N_("This opens later. It can be watched from the moment given on this page."),
    "closed": N_("This is not on view now."),
    "withdrawn": N_("This was withdrawn by its artists or their city."),
    "closed/rights": N_("Its rights do not allow it to be shown now."),
    "not-open-yet/rights": N_("Its rights do not allow it to be shown yet."),
    "not-in-your-territory": N_("Its rights do not allow it to be shown in your country."),
    "code-needed": N_("This is shown to invited guests. Enter the access code that you were given."),
    "code-wrong": N_("This access code is not known here. Look whether it was copied whole."),
    "code-over": N_(
        "This access code was taken back, or used as often as it may be. Ask who gave it to you for another."
    ),
    "full": N_("So many are watching now that there is no room for one more. Please try again in a minute."),
    "grant-expired": N_("The permission to watch has run out. Reload the page to go on."),
    "too-large": N_("This is larger than what is taken here."),
    "file-too-large": N_("This file is larger than what is taken here ({limit})."),
    "picture-kind": N_(
        "This is no picture that is taken here. Save it as JPEG, PNG, WebP or TIFF and choose it again."
    ),
    "picture-unreadable": N_(
        "This picture cannot be read: it is damaged, or came in part. Export it again and choose the new file."
    ),
    "picture-pixels": N_(
        "This picture has more pixels than can be worked on here. Save it smaller: 4000 wide is plenty."
    ),
    "picture-narrow": N_("This picture is {width} pixels wide. It is shown large: choose one of {least} or more."),
    "quota": N_("This file would go beyond what you may keep here ({limit}). Remove files that you no longer need."),
    "disk-full": N_("There is no room for more files right now. Please try again later; the operator can see it."),
    "upload-too-long": N_("More bytes came than were announced."),
    "wrong-offset": N_("This upload goes on at another place."),
    "upload-locked": N_("This upload is being written to by another connection."),
    "upload-length": N_("The size of the file must be given before the upload."),
    "checksum-mismatch": N_("The bytes changed on the way. They will be sent again."),
    "checksum-algorithm": N_("This kind of checksum is not known here."),
    "checksum-encoding": N_("This checksum could not be read."),
    "tus-version": N_("This server speaks tus 1.0.0."),
    "unsupported-type": N_("This kind of content is not taken here."),
    "too-many": N_("That was very often. Please wait {retry_after} seconds and try again."),
    "unavailable": N_("This is not available right now. Please try again in a moment."),
    "database-away": N_("The server cannot reach its data right now. Please try again in a moment."),
    "cancelled": N_("This was cancelled."),
    "password-short": N_("A password needs at least 10 characters."),
    "worker-failed": N_("Preparing this file failed more than once. Try again, or upload it once more."),
    "method-not-allowed": N_("This address does not take this kind of request."),
    "required": N_("This is needed."),
    "no-such-version": N_("There is no such version."),
    "bad-language": N_("This is no language tag (for example en, fr, pt-BR)."),
    "bad-address": N_("This is no web address that starts with https:// or http://."),
    "bad-email": N_("This is no e-mail address."),
    "bad-time": N_("This is no date and time."),
    "bad-number": N_("This is no number that can be taken here."),
    "bad-zone": N_("This is no time zone (for example Europe/Vienna)."),
    "window-order": N_("The end lies before the beginning."),
    "bad-choice": N_("This is none of the choices."),
    "too-long": N_("This is too long."),
    "no-city": N_("Choose at least one city."),
    "no-such-work": N_("There is no such work, or it is not for you to show."),
    "no-such-festival": N_("There is no such festival."),
    "festival-exists": N_("There is a festival with this name in addresses already: {slug}"),
    "screening-untitled": N_("It has no title."),
    "screening-empty": N_("No work is in it. Choose at least one."),
    "replay-order": N_("Its replay would end before it ends itself."),
    "channel-overlap": N_("At this time “{title}” is on the channel. Move one of them, or give it another room."),
    "room-overlap": N_("At this time “{title}” is in the same room. Move one of them, or give it another room."),
    "not-for-channel": N_("“{title}” has no length of its own, so it cannot be part of a premiere. Show it on demand."),
    "block-too-short": N_(
        "Its works take {length} (minutes and seconds), {over} more than there is. Let it end later."
    ),
    "no-such-room": N_("There is no such room. Add it to the festival first."),
    "too-many-rooms": N_("These are too many rooms: {most} at most."),
    "room-twice": N_("Two rooms have the same name."),
    "room-in-use": N_("“{title}” is in the room “{room}”. Give it another room before you take this one away."),
    "loop-not-accepted": N_("This work is not accepted yet. Accept it at the desk first."),
    "loop-without-length": N_("This work has no length of its own, so a channel cannot show it."),
    "hour-skipped": N_("On {day} the clock there jumps over {time}; it is taken as much later as the clock jumps."),
    "hour-repeated": N_("On {day} {time} comes twice there; the first time is taken."),
    "outside-festival": N_("It is not within the days of the festival ({starts} to {ends})."),
    "screening-past/over": N_(
        "It lies in the past: by its clock ({zone}) it is {time} on {day} now. Nobody will see it so."
    ),
    "screening-past/replay": N_(
        "It is over: by its clock ({zone}) it is {time} on {day} now. Only its replay will be seen."
    ),
    "screening-past/begun": N_(
        "It has begun: by its clock ({zone}) it is {time} on {day} now. Who comes joins in the middle."
    ),
    "work-not-accepted": N_("“{title}” is not accepted yet. Accept it at the desk first."),
    "work-not-ready": N_("“{title}” cannot be played yet: its file is missing, or being prepared."),
    "captions-missing": N_("“{title}” has no captions."),
    "language-missing": N_("“{title}” has no title in this language: {lang}."),
    "rights-closed/use": N_(
        "The rights of “{title}” do not cover this kind of screening. Have them changed on its page, show it otherwise, or take it out."
    ),
    "rights-closed/dates": N_(
        "The rights of “{title}” do not cover all of this time. Have them changed on its page, move it, or take it out."
    ),
    "rights-closed/replay": N_(
        "The replay of “{title}” stays closed, or closes early: its rights do not cover it. Have them changed on its page, or leave the replay out."
    ),
    "rights-territories/only": N_(
        "The rights of “{title}” allow it in some countries alone ({count}). Elsewhere it is refused, and a channel shows a slate."
    ),
    "rights-territories/except": N_(
        "The rights of “{title}” close it in some countries ({count}). There it is refused, and a channel shows a slate."
    ),
    "rights-territories/untold-open": N_(
        "The rights of “{title}” are not the same in every country, and this server cannot tell from where people watch: it is shown everywhere. Ask whoever runs it, or take the work out."
    ),
    "rights-territories/untold-closed": N_(
        "The rights of “{title}” are not the same in every country, and this server cannot tell from where people watch: it is refused everywhere. Ask whoever runs it."
    ),
    "cues-uncleared/live": N_(
        "Music in “{title}” is not cleared for this: {cues}. Clear it and say so on the work's page, or take the work out."
    ),
    "cues-uncleared/replay": N_(
        "Music in “{title}” is not cleared for replay, so its replay stays closed: {cues}. Clear it and say so on the work's page."
    ),
    "would-be-over": N_(
        "It is public and still to come: so it would be over before anybody could come. Give it a time to come."
    ),
    "would-be-over/zone": N_(
        "“{title}” is public and still to come: on the other clock it would be over before anybody could come. Move or withdraw it first."
    ),
    "not-publishable": N_("This stands against publishing it: {errors}"),
    "own-role": N_("You cannot take this from yourself; another administrator can."),
    "choose-one": N_("Choose one of these."),
    "dates-need-between": N_("A date is given: choose “for a time”, or take the dates away."),
    "one-date-needed": N_("Give a beginning, an end, or both."),
    "not-accepted": N_("The staff of its city have not accepted this work yet. Hand it to them first."),
    "bad-country": N_("This is no country's two-letter code (ISO 3166)."),
    "no-such-country": N_("There is no such country: {country}. Give names, or two-letter codes (ISO 3166)."),
    "territories-need-mode": N_("Countries are given: choose whether it is open there alone, or closed there."),
    "unknown-field": N_("There is no such field."),
    "no-such-account": N_("Nobody with this address has an account yet. Invite them first."),
    "account-closed": N_("This account is closed. Ask the staff of your city."),
    "not-a-picture": N_("A poster is a picture: JPEG, PNG, WebP or TIFF."),
}


# What the product's own words for kinds and states are called.
NAMES: Mapping[str, Mapping[str, str]] = {
    "medium": {
        "video": N_("Video"),
        "audio": N_("Sound"),
        "image": N_("Image"),
        "web": N_("Web or installation"),
        "360": N_("360° video"),
    },
    "state": {
        "draft": N_("Draft"),
        "submitted": N_("Submitted"),
        "accepted": N_("Accepted"),
        "published": N_("Published"),
        "withdrawn": N_("Withdrawn"),
    },
    "file": {
        "work": N_("The work itself"),
        "documentation": N_("Documentation"),
        "installation-view": N_("Installation view"),
        "trailer": N_("Trailer"),
        "captions": N_("Captions"),
        "audio-description": N_("Audio description"),
        "audio-track": N_("Sound in another language"),
        "poster": N_("Poster"),
    },
    "file-state": {
        "uploading": N_("Uploading"),
        "queued": N_("Waiting"),
        "processing": N_("Being prepared"),
        "ready": N_("Ready"),
        "failed": N_("Failed"),
        "cancelled": N_("Cancelled"),
    },
    "stage": {
        "queued": N_("waiting for its turn"),
        "probe": N_("reading the file"),
        "audio": N_("preparing the sound"),
        "images": N_("preparing the pictures"),
        "poster": N_("choosing a poster"),
        "storyboard": N_("making the preview strip"),
        "flashes": N_("looking for flashing light"),
        "loudness": N_("measuring the loudness"),
        "ladder": N_("preparing the higher qualities"),
        "disk-full": N_("waiting for room on the disk"),
        "film-not-ready": N_("waiting for its film"),
        "done": N_("finishing"),
        "ready": N_("ready"),
        "failed": N_("failed"),
        "cancelled": N_("cancelled"),
    },
    "use": {
        "live": N_("live, in screenings from a stage"),
        "premiere": N_("in premieres, at one time for everybody"),
        "on_demand": N_("on demand"),
        "replay": N_("in the replay of what was live or a premiere"),
    },
    "kind": {"on_demand": N_("On demand"), "premiere": N_("Premiere"), "live": N_("Live")},
    "phase": {
        "upcoming": N_("To come"),
        "on_air": N_("On now"),
        "replay": N_("Replay"),
        "ended": N_("Over"),
    },
    "change": {
        "created": N_("begun"),
        "changed": N_("changed"),
        "published": N_("made public"),
        "withdrawn": N_("withdrawn"),
        "restored": N_("taken back"),
    },
    "field": {
        "starts": N_("From"),
        "ends": N_("Until"),
        "replay_until": N_("Replay until"),
        "room": N_("Room"),
        "minimum_age": N_("Recommended from the age of"),
        "slots": N_("Works"),
        "hosts": N_("Also in the programme of"),
        "closed": N_("Only with an access code"),
        "state": N_("State"),
        "title": N_("Title"),
        "text": N_("Text"),
        "languages": N_("Languages and captions"),
        "notes": N_("Content notes"),
    },
    "answer": {"yes": N_("yes"), "no": N_("no")},
    "festival-state": {"draft": N_("Draft"), "published": N_("Published"), "archived": N_("Archived")},
    "role": {"administrator": N_("Administrator"), "staff": N_("Staff"), "artist": N_("Artist")},
}
