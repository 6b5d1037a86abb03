"""The calls that are answered, each with the function that answers it."""

from __future__ import annotations

from typing import Final

from .call import Answerer
from .calls import absent, browsing, folders, lists, lyrics, media, related, search, system

CALLS: Final[dict[str, Answerer]] = {
    # Without a device's key: players ask it before they know how to sign in.
    "getOpenSubsonicExtensions": system.get_extensions,
    "ping": system.ping,
    "getLicense": system.get_license,
    "tokenInfo": system.token_info,
    "getUser": system.get_user,
    "getUsers": system.get_users,
    "getScanStatus": system.get_scan_status,
    "startScan": system.start_scan,
    "getMusicFolders": folders.get_music_folders,
    "getIndexes": folders.get_indexes,
    "getMusicDirectory": folders.get_music_directory,
    "getArtists": browsing.get_artists,
    "getArtist": browsing.get_artist,
    "getAlbum": browsing.get_album,
    "getSong": browsing.get_song,
    "getGenres": browsing.get_genres,
    "getAlbumList": lists.get_album_list,
    "getAlbumList2": lists.get_album_list2,
    "getSongsByGenre": lists.get_songs_by_genre,
    "getRandomSongs": lists.get_random_songs,
    "search": search.search,
    "search2": search.search2,
    "search3": search.search3,
    "getTopSongs": related.get_top_songs,
    "getSimilarSongs": related.get_similar_songs,
    "getSimilarSongs2": related.get_similar_songs2,
    "getArtistInfo": related.get_artist_info,
    "getArtistInfo2": related.get_artist_info2,
    "getAlbumInfo": related.get_album_info,
    "getAlbumInfo2": related.get_album_info,
    "getLyrics": lyrics.get_lyrics,
    "getLyricsBySongId": lyrics.get_lyrics_by_song_id,
    "getVideos": absent.get_videos,
    "getPodcasts": absent.get_podcasts,
    "getNewestPodcasts": absent.get_newest_podcasts,
    "getInternetRadioStations": absent.get_internet_radio_stations,
    "getShares": absent.get_shares,
    "getChatMessages": absent.get_chat_messages,
    "stream": media.stream,
    "download": media.download,
    "getCoverArt": media.get_cover_art,
}
# These tell nothing of the library or of anybody.
OPEN_CALLS: Final = frozenset({"getOpenSubsonicExtensions"})
