; The installer for one user: no administrator, no start at login. installer.py calls it with these definitions:
; APP_ID APP_NAME PUBLISHER VERSION SIZE_KB OUT ICON PICTURE, and FILES, a script that unpacks the program into NEW.
;
; Exit codes: 0 done, 1 cancelled, 2 this is no folder for it, 3 the running program cannot be stopped, 4 no space for the
; files. In all but the first, what was installed before is as it was.

Unicode true
Target amd64-unicode
SetCompressor /SOLID lzma
SetDateSave off
RequestExecutionLevel user
ManifestDPIAware true

!include "LogicLib.nsh"
!include "MUI2.nsh"
!include "WinMessages.nsh"

!define WINDOWED "${APP_NAME}.exe"
!define CONSOLE "${APP_ID}.exe"
!define UNINSTALLER "uninstall.exe"
!define NEW "$INSTDIR\${APP_ID}.new"
!define OLD "$INSTDIR\${APP_ID}.old"
!define MENU "$SMPROGRAMS\${APP_NAME}"
!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\${APP_ID}"
!define RUN_KEY "Software\Microsoft\Windows\CurrentVersion\Run"
!define RUN_APPROVED_KEY "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"

!define NO_FOLDER 2
!define STILL_RUNS 3
!define NOT_WRITTEN 4

!define POLL_MS 250
!define POLITE_POLLS 40 ; 10 s: the program takes up to 5 s to end what it is answering
!define FORCED_POLLS 20

Name "${APP_NAME}"
Caption "${APP_NAME} ${VERSION}"
BrandingText "${APP_NAME} ${VERSION}"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\${APP_NAME}"
InstallDirRegKey HKCU "${UNINSTALL_KEY}" "InstallLocation"

VIProductVersion "${VERSION}.0"
VIFileVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "${APP_NAME}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "${APP_NAME} setup"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "CompanyName" "${PUBLISHER}"
VIAddVersionKey "LegalCopyright" "MIT licence"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_WELCOMEFINISHPAGE_BITMAP "${PICTURE}"
!define MUI_ABORTWARNING
!define MUI_FINISHPAGE_RUN
!define MUI_FINISHPAGE_RUN_TEXT "Start ${APP_NAME}"
!define MUI_FINISHPAGE_RUN_FUNCTION StartApp
!define MUI_PAGE_CUSTOMFUNCTION_PRE SkipIfInstalled
!define MUI_PAGE_CUSTOMFUNCTION_LEAVE CheckFolder
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

Var WasRunning

; Ends the installation or removal with a sentence and an exit code.
!macro GiveUp CODE SENTENCE
  DetailPrint "${SENTENCE}"
  MessageBox MB_OK|MB_ICONSTOP "${SENTENCE}" /SD IDOK
  SetErrorLevel ${CODE}
  Quit
!macroend
!define GiveUp "!insertmacro GiveUp"

; RESULT is 1 if a program of the folder runs: Windows lets nobody write to its file.
!macro IsLocked FILE RESULT
  StrCpy ${RESULT} 0
  ${If} ${FileExists} "$INSTDIR\${FILE}"
    ClearErrors
    FileOpen $R9 "$INSTDIR\${FILE}" a
    ${If} ${Errors}
      StrCpy ${RESULT} 1
    ${Else}
      FileClose $R9
    ${EndIf}
  ${EndIf}
!macroend

!macro StopAppFunctions UN
; $0: 1 if a program of the folder runs.
Function ${UN}FindApp
  !insertmacro IsLocked "${WINDOWED}" $0
  ${If} $0 = 0
    !insertmacro IsLocked "${CONSOLE}" $0
  ${EndIf}
FunctionEnd

; Asks the app to quit, and waits as long as it may take; then ends it, and any other program of the folder.
; $0 is still 1 if nothing helped.
Function ${UN}StopApp
  Call ${UN}FindApp
  ${If} $0 = 0
    Return
  ${EndIf}
  DetailPrint "Waiting for ${APP_NAME} to quit"
  !insertmacro IsLocked "${WINDOWED}" $WasRunning
  FindWindow $1 "${APP_ID}"
  ${If} $1 <> 0
    StrCpy $WasRunning 1
    System::Call "user32::PostMessageW(p r1, i ${WM_CLOSE}, p 0, p 0)"
    ${For} $2 1 ${POLITE_POLLS}
      Sleep ${POLL_MS}
      Call ${UN}FindApp
      ${If} $0 = 0
        Return
      ${EndIf}
    ${Next}
  ${EndIf}
  nsExec::Exec '"$SYSDIR\taskkill.exe" /F /IM "${WINDOWED}" /IM "${CONSOLE}"'
  Pop $1
  ${For} $2 1 ${FORCED_POLLS}
    Call ${UN}FindApp
    ${If} $0 = 0
      Return
    ${EndIf}
    Sleep ${POLL_MS}
  ${Next}
FunctionEnd
!macroend
!insertmacro StopAppFunctions ""
!insertmacro StopAppFunctions "un."

Function .onInit
  StrCpy $WasRunning 0
  ${If} ${Silent}
    Call CheckFolder
  ${EndIf}
FunctionEnd

; An upgrade stays where the program is.
Function SkipIfInstalled
  ReadRegStr $0 HKCU "${UNINSTALL_KEY}" "InstallLocation"
  ${If} $0 == $INSTDIR
  ${AndIf} ${FileExists} "$INSTDIR\${UNINSTALLER}"
    Abort
  ${EndIf}
FunctionEnd

; A folder with anything in it that is not ours stays as it is.
Function CheckFolder
  ReadRegStr $0 HKCU "${UNINSTALL_KEY}" "InstallLocation"
  ${If} $0 != ""
  ${AndIf} $0 != $INSTDIR
  ${AndIf} ${FileExists} "$0\${UNINSTALLER}"
    StrCpy $1 "${APP_NAME} is installed in $0. Uninstall it there before you install it in another folder."
    Call RefuseFolder
  ${EndIf}
  ${If} $0 == $INSTDIR
  ${OrIf} ${FileExists} "$INSTDIR\${CONSOLE}"
    Return
  ${EndIf}
  FindFirst $2 $3 "$INSTDIR\*"
  ${DoWhile} $3 != ""
    ${If} $3 != "."
    ${AndIf} $3 != ".."
    ${AndIf} $3 != "${APP_ID}.new" ; of an installation that was cut off
    ${AndIf} $3 != "${UNINSTALLER}" ; of a removal that was
      FindClose $2
      StrCpy $1 "$INSTDIR has other files in it. Choose a folder that is empty or new."
      Call RefuseFolder
    ${EndIf}
    FindNext $2 $3
  ${Loop}
  FindClose $2
FunctionEnd

; $1 says why.
Function RefuseFolder
  ${If} ${Silent}
    ${GiveUp} ${NO_FOLDER} "$1"
  ${EndIf}
  MessageBox MB_OK|MB_ICONEXCLAMATION "$1"
  Abort ; back to the page
FunctionEnd

Function StartApp
  SetOutPath "$PROFILE" ; not the folder that the next upgrade replaces
  Exec '"$INSTDIR\${WINDOWED}"'
FunctionEnd

; Moves one part of the program; $0 becomes 1 if that fails, as it does while Windows has the part in use.
!macro Move PART FROM TO
  ${If} $0 = 0
  ${AndIf} ${FileExists} "${FROM}\${PART}"
    ClearErrors
    Rename "${FROM}\${PART}" "${TO}\${PART}"
    ${If} ${Errors}
      StrCpy $0 1
    ${EndIf}
  ${EndIf}
!macroend

!macro MoveBack PART
  ${If} ${FileExists} "${OLD}\${PART}"
    RMDir /r "$INSTDIR\${PART}"
    Delete "$INSTDIR\${PART}"
    Rename "${OLD}\${PART}" "$INSTDIR\${PART}"
  ${EndIf}
!macroend

; The new files come to lie beside the old ones, which go only when all is there and nothing uses them any more.
Section
  RMDir /r "${NEW}"
  ClearErrors
  SetOutPath "${NEW}"
  !include "${FILES}"
  SetOutPath "$PROFILE"
  ${If} ${Errors}
    RMDir /r "${NEW}"
    RMDir "$INSTDIR"
    ${GiveUp} ${NOT_WRITTEN} "The files of ${APP_NAME} could not be written to $INSTDIR. Nothing is changed."
  ${EndIf}

  Call StopApp
  RMDir /r "${OLD}"
  CreateDirectory "${OLD}"
  !insertmacro Move "_internal" "$INSTDIR" "${OLD}"
  !insertmacro Move "${WINDOWED}" "$INSTDIR" "${OLD}"
  !insertmacro Move "${CONSOLE}" "$INSTDIR" "${OLD}"
  !insertmacro Move "_internal" "${NEW}" "$INSTDIR"
  !insertmacro Move "${WINDOWED}" "${NEW}" "$INSTDIR"
  !insertmacro Move "${CONSOLE}" "${NEW}" "$INSTDIR"
  ${If} $0 <> 0
    !insertmacro MoveBack "_internal"
    !insertmacro MoveBack "${WINDOWED}"
    !insertmacro MoveBack "${CONSOLE}"
    RMDir /r "${NEW}"
    RMDir "${OLD}"
    ${GiveUp} ${STILL_RUNS} "${APP_NAME} is running and could not be stopped. Nothing is changed; quit it and try again."
  ${EndIf}
  RMDir /r "${NEW}"
  RMDir /r "${OLD}"
  WriteUninstaller "$INSTDIR\${UNINSTALLER}"

  CreateDirectory "${MENU}"
  CreateShortcut "${MENU}\${APP_NAME}.lnk" "$INSTDIR\${WINDOWED}"
  ; by way of cmd, since the window would close before its last line is read
  CreateShortcut "${MENU}\Set NVIDIA API Key.lnk" "$SYSDIR\cmd.exe" '/d /c ""$INSTDIR\${CONSOLE}" set-key & pause"' \
    "$INSTDIR\${CONSOLE}"

  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayName" "${APP_NAME}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\${WINDOWED}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "Publisher" "${PUBLISHER}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\${UNINSTALLER}"'
  WriteRegStr HKCU "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\${UNINSTALLER}" /S'
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "EstimatedSize" ${SIZE_KB}
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoRepair" 1

  ${If} ${Silent} ; else the last page asks
  ${AndIf} $WasRunning = 1
    Call StartApp
  ${EndIf}
SectionEnd

; Settings, logs and key stay: they are the user's.
Section "Uninstall"
  ReadRegStr $0 HKCU "${UNINSTALL_KEY}" "InstallLocation"
  ${If} $0 != $INSTDIR
  ${AndIfNot} ${FileExists} "$INSTDIR\${CONSOLE}"
    ${GiveUp} ${NO_FOLDER} "$INSTDIR is not where ${APP_NAME} is installed. Nothing is changed."
  ${EndIf}
  Call un.StopApp
  ${If} $0 <> 0
    ${GiveUp} ${STILL_RUNS} "${APP_NAME} is running and could not be stopped. Nothing is changed; quit it and try again."
  ${EndIf}
  ; Claude Code's own settings must not lead to a program that is gone.
  nsExec::Exec '"$INSTDIR\${CONSOLE}" undo'
  Pop $1
  DeleteRegValue HKCU "${RUN_KEY}" "${APP_ID}"
  DeleteRegValue HKCU "${RUN_APPROVED_KEY}" "${APP_ID}"
  DeleteRegKey HKCU "${UNINSTALL_KEY}"
  Delete "${MENU}\${APP_NAME}.lnk"
  Delete "${MENU}\Set NVIDIA API Key.lnk"
  RMDir "${MENU}"
  SetOutPath "$TEMP"
  RMDir /r "$INSTDIR\_internal"
  RMDir /r "${NEW}"
  RMDir /r "${OLD}"
  Delete "$INSTDIR\${WINDOWED}"
  Delete "$INSTDIR\${CONSOLE}"
  Delete "$INSTDIR\${UNINSTALLER}"
  RMDir "$INSTDIR" ; if nothing else is in it
SectionEnd
