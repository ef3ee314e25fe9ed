#!/bin/sh
# Builds ffmpeg and ffprobe from the source of Debian's package (same version, same patches, same security updates) with
# only what recording needs, and puts them into FOLDER: build-ffmpeg.sh FOLDER
# Reading: RTSP (TCP, UDP, TLS), HTTP, files. Writing: segments of MPEG-TS, Matroska, MP4. Video is copied, never encoded;
# the decoders are those with which streams are probed.
set -eu
folder=$1

# The package sources of the base, read as sources of source packages: one-line entries and deb822 files.
mkdir -p sources/lists/partial sources/parts
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
  case $file in
    *.list) [ -f "$file" ] && sed -n 's/^deb /deb-src /p' "$file" >> sources/parts/source.list ;;
    *.sources) [ -f "$file" ] && sed 's/^Types: deb$/Types: deb-src/' "$file" > "sources/parts/$(basename "$file")" ;;
  esac
done
set -- -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$PWD/sources/parts" \
  -o Dir::State::lists="$PWD/sources/lists" -o APT::Sandbox::User=root
apt-get "$@" update
apt-get "$@" source ffmpeg
cd ffmpeg-*/

# -O1: what is copied needs no faster code, and the build takes a third less time.
./configure --prefix=/usr/local --disable-everything --disable-autodetect --disable-doc --disable-debug \
  --disable-x86asm --disable-avdevice --disable-swscale --disable-postproc --disable-ffplay --optflags=-O1 \
  --enable-version3 --enable-gnutls --enable-bsfs \
  --enable-protocol=file,pipe,tcp,udp,rtp,srtp,tls,http,https,crypto,data \
  --enable-demuxer=rtsp,sdp,rtp,mpegts,matroska,mov,h264,hevc,mjpeg,concat,aac,wav \
  --enable-muxer=segment,stream_segment,mpegts,matroska,mp4,mov,null,framecrc,framemd5,tee,rtsp \
  --enable-parser=h264,hevc,mjpeg,mpeg4video,aac,aac_latm,ac3,mpegaudio,opus,vp8,vp9,av1 \
  --enable-decoder=h264,hevc,mjpeg,mpeg4,aac,mp3,opus,pcm_alaw,pcm_mulaw,pcm_s16be,pcm_s16le,adpcm_g726,adpcm_g726le \
  --enable-encoder=wrapped_avframe,pcm_s16le
make -j"$(nproc)" ffmpeg ffprobe
install -D -m 755 ffmpeg "$folder/ffmpeg"
install -D -m 755 ffprobe "$folder/ffprobe"
cd ..
rm -rf ffmpeg* sources
